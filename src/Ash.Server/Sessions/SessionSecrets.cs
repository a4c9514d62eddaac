using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Server.Sessions;

/// <summary>What of a session is told to its sandbox and shown to nobody.</summary>
internal sealed record SessionSecrets
{
    public static SessionSecrets None { get; } = new();

    /// <summary>Variables of the sandbox's environment; null where there are none.</summary>
    public IReadOnlyDictionary<string, string>? ExtraEnv { get; init; }

    /// <summary>MCP servers by name; null where there are none.</summary>
    public JsonElement? McpServers { get; init; }

    private bool PrintMembers(StringBuilder text)
    {
        text.Append($"ExtraEnv = {ExtraEnv?.Count}");
        return true;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SessionSecrets))]
internal sealed partial class SessionSecretsJson : JsonSerializerContext;
