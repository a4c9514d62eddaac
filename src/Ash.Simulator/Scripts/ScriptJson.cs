using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Ash.Simulator.Scripts;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    ReadCommentHandling = JsonCommentHandling.Skip,
    AllowTrailingCommas = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Script))]
[JsonSerializable(typeof(ScriptStep[]))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class ScriptJson : JsonSerializerContext
{
    public static T Read<T>(string json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new ScriptException("a script is an object");
        }
        catch (JsonException invalid)
        {
            throw new ScriptException(Explain(invalid), invalid);
        }
    }

    /// <summary>The message without the name of a .NET type in it.</summary>
    public static string Explain(JsonException invalid) => invalid.InnerException is ScriptException inner
        ? inner.Message
        : $"{invalid.Path ?? "$"}: {invalid.Message.Split(" Path: ", 2)[0]}";
}
