using System.Text.Json.Serialization;
using Ash.Cli.Agents;
using Ash.Cli.Configuration;
using Ash.Cli.Output;
using Ash.Cli.Servers;

namespace Ash.Cli;

/// <summary>Files of this machine, and what is written for programs.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(CliConfig))]
[JsonSerializable(typeof(ServerRecord))]
[JsonSerializable(typeof(FailureLine))]
[JsonSerializable(typeof(ServerStatus))]
[JsonSerializable(typeof(LinkLine))]
[JsonSerializable(typeof(SavedFile))]
[JsonSerializable(typeof(ConfigLine))]
[JsonSerializable(typeof(SessionConfigLine))]
[JsonSerializable(typeof(DeletedLine))]
[JsonSerializable(typeof(IReadOnlyList<Finding>))]
internal sealed partial class CliJson : JsonSerializerContext;
