using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Protocol.Api;
using Ash.Server.Agents;

namespace Ash.Server.Sessions;

/// <summary>MCP servers by name, as a session's creator or an agent's configuration gives them.</summary>
internal static class McpServerMap
{
    private const string Masked = AgentView.Hidden;

    /// <summary>What is wrong with them, or null.</summary>
    public static string? Refusal(JsonElement servers)
    {
        if (SessionOptions.RefusalOfMap("mcpServers", servers) is { } reason)
        {
            return reason;
        }

        foreach (var server in servers.EnumerateObject())
        {
            if (SessionOptions.IsText(server.Value, "url") == SessionOptions.IsText(server.Value, "command"))
            {
                return $"mcpServers.{server.Name} must have either a url or a command";
            }
        }

        return null;
    }

    /// <summary>Two maps as one; where both have a name, the second's stands.</summary>
    public static JsonElement? Join(JsonElement? first, JsonElement? second)
    {
        if (first is null || second is null)
        {
            return second ?? first;
        }

        var joined = JsonObject.Create(first.Value)!; // Both were checked to be objects.
        foreach (var entry in second.Value.EnumerateObject())
        {
            joined[entry.Name] = JsonObject.Create(entry.Value);
        }

        return JsonSerializer.SerializeToElement(joined, ApiJson.Default.JsonObject);
    }

    /// <summary>As they are shown: a server's type, command and host; of all else, which may be secret, only that it is there.</summary>
    public static JsonElement Mask(JsonElement servers)
    {
        // What was not checked, because it is of a release before this, may be anything.
        var shown = JsonObject.Create(servers)!.Select(server =>
            KeyValuePair.Create(server.Key, server.Value is JsonObject fields ? Mask(fields) : (JsonNode?)Masked));
        return JsonSerializer.SerializeToElement(new JsonObject(shown), ApiJson.Default.JsonObject);
    }

    /// <summary>The name of a server that was sent with what is shown in the place of a value; null where there is none.</summary>
    public static string? FindHidden(JsonObject servers) => servers
        .Where(server => server.Value is JsonObject fields && fields.Any(field => field.Value switch
        {
            JsonObject map => map.Any(entry => IsHidden(entry.Value)),
            JsonArray list => list.Any(IsHidden),
            var value => field.Key == "url" ? value is JsonValue url && url.TryGetValue<string>(out var text) && text.EndsWith($"/{Masked}", StringComparison.Ordinal) : IsHidden(value),
        }))
        .Select(static server => server.Key)
        .FirstOrDefault();

    /// <summary>Servers as they are to be stored: one that is given as it was shown stays as it is known.</summary>
    public static JsonObject KeepHidden(JsonObject servers, JsonObject known) => new(servers.Select(server => KeyValuePair.Create(
        server.Key,
        known[server.Key] is JsonObject stored && JsonNode.DeepEquals(server.Value, Mask(stored)) ? stored.DeepClone() : server.Value?.DeepClone())));

    private static bool IsHidden(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var word) && word == Masked;

    private static JsonObject Mask(JsonObject server) =>
        new(server.Select(field => KeyValuePair.Create(field.Key, (JsonNode?)Mask(field.Key, field.Value))));

    private static JsonNode Mask(string field, JsonNode? value) => (field, value) switch
    {
        ("type" or "command", JsonValue) => value.DeepClone(),
        ("url", JsonValue url) when url.TryGetValue<string>(out var text) => AddressOf(text),
        (_, JsonObject map) => new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)Masked))),
        (_, JsonArray list) => new JsonArray([.. list.Select(_ => (JsonNode)Masked)]),
        _ => Masked,
    };

    /// <summary>Paths and queries are where hosted servers have their secrets.</summary>
    private static string AddressOf(string url) => Uri.TryCreate(url, UriKind.Absolute, out var address)
        ? $"{address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)}/{Masked}"
        : Masked;
}
