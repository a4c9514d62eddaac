using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Ash.Simulator.Scripts;

/// <summary>How scripts are read: strictly, so that a typing error is said and not silently ignored.</summary>
internal static class ScriptJson
{
    // Generated code would set init-only properties that the script leaves out to zero: reflection keeps their defaults.
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        RespectNullableAnnotations = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <exception cref="ScriptException">The text is not JSON, or not of this shape.</exception>
    public static T Read<T>(string json) => Guard(() => JsonSerializer.Deserialize<T>(json, Options));

    /// <exception cref="ScriptException">The value is not of this shape.</exception>
    public static T Read<T>(JsonElement json) => Guard(() => json.Deserialize<T>(Options));

    /// <summary>What is wrong and where, without the name of a .NET type.</summary>
    public static string Explain(JsonException invalid)
    {
        var message = invalid.Message switch
        {
            var text when text.Contains("could not be mapped to any .NET member", StringComparison.Ordinal) => "no such field",
            var text when text.StartsWith("The JSON value could not be converted", StringComparison.Ordinal) => "a value of the wrong type",
            var text => text.Split(" Path: ", 2)[0],
        };

        return invalid.Path is null or "$" ? message : $"{invalid.Path}: {message}";
    }

    private static T Guard<T>(Func<T?> read)
    {
        try
        {
            return read() ?? throw new ScriptException("a script is an object");
        }
        catch (JsonException invalid)
        {
            throw new ScriptException(Explain(invalid), invalid);
        }
    }
}
