using System.Text.Json.Serialization;

namespace Ash.Client;

/// <summary>A string as JSON.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class TextJson : JsonSerializerContext;
