using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Protocol.Api;
using Ash.Server.Sessions;
using SessionOptions = Ash.Server.Sessions.SessionOptions;

namespace Ash.Server.Agents;

/// <summary>
/// What an agent's configuration says of its sessions, for whose creator says nothing of it. The other entries of a configuration
/// are its users' own, and nothing here reads them.
/// </summary>
/// <remarks>The reference keeps such entries, and its documents say that they matter; there they have no effect (contract 15.3, B20).</remarks>
internal sealed record AgentDefaults
{
    private const int MaxDepth = 32;
    private const int MaxLength = 262_144;

    /// <summary>As deep as a request's body may be: releases before this kept all of it.</summary>
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = ApiJson.Default.Options.MaxDepth };

    public static AgentDefaults None { get; } = new();

    public string? Model { get; private init; }

    public string? SystemPrompt { get; private init; }

    public string? PermissionMode { get; private init; }

    /// <summary>Model calls of a turn.</summary>
    public int? MaxTurns { get; private init; }

    /// <summary>MCP servers by name.</summary>
    public JsonElement? McpServers { get; private init; }

    /// <param name="config">As it is stored; null where there is none.</param>
    public static AgentDefaults Parse(string? config) =>
        config is not null && TryRead(JsonElement.Parse(config, Deep), out var defaults) is null ? defaults : None;

    /// <summary>A configuration as it is shown: without the secrets that servers are given.</summary>
    /// <param name="config">As it is stored.</param>
    public static JsonElement Describe(string config)
    {
        var stored = JsonElement.Parse(config, Deep);
        var shown = JsonObject.Create(stored)!; // It was checked to be one.
        foreach (var entry in stored.EnumerateObject().Where(entry => IsServers(entry.Name) && entry.Value.ValueKind == JsonValueKind.Object))
        {
            shown[entry.Name] = JsonObject.Create(McpServerMap.Mask(entry.Value));
        }

        return JsonSerializer.SerializeToElement(shown, ApiJson.Default.JsonObject);
    }

    /// <summary>A configuration with what changes of it: the entries that are given take the place of those of their names.</summary>
    /// <param name="config">As it is stored; null where there is none.</param>
    /// <param name="changes">Checked.</param>
    /// <param name="merged">As it is to be stored.</param>
    /// <returns>Why it cannot be; null where it can.</returns>
    public static string? Merge(string? config, JsonElement changes, out string merged)
    {
        var entries = config is null ? new JsonObject() : JsonNode.Parse(config, documentOptions: Deep)!.AsObject();
        var before = entries.FirstOrDefault(entry => IsServers(entry.Key) && entry.Value is JsonObject).Value as JsonObject;
        foreach (var (name, value) in JsonObject.Create(changes)!) // It was checked to be one.
        {
            if (IsServers(name) && value is JsonObject given)
            {
                var servers = before is null ? given : McpServerMap.KeepHidden(given, before);
                if (McpServerMap.FindHidden(servers) is { } hidden)
                {
                    merged = string.Empty;
                    return $"config.{name}.{hidden}: {AgentView.Hidden} stands for a value that is not shown; "
                        + "send the server as it is shown, or with all its values";
                }

                entries[name] = servers.DeepClone();
            }
            else
            {
                entries[name] = value?.DeepClone();
            }
        }

        merged = entries.ToJsonString();
        return merged.Length > MaxLength ? $"config must be at most {MaxLength} characters, all its entries together" : null;
    }

    /// <summary>What is wrong with a change of a configuration, or null.</summary>
    public static string? Refusal(JsonElement change) =>
        DepthOf(change) > MaxDepth ? $"config must be nested at most {MaxDepth} deep" : TryRead(change, out _);

    private static int DepthOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => 1 + element.EnumerateObject().Select(entry => DepthOf(entry.Value)).DefaultIfEmpty().Max(),
        JsonValueKind.Array => 1 + element.EnumerateArray().Select(DepthOf).DefaultIfEmpty().Max(),
        _ => 0,
    };

    private static string? TryRead(JsonElement config, out AgentDefaults defaults)
    {
        defaults = None;
        foreach (var entry in config.EnumerateObject().Where(entry => entry.Value.ValueKind != JsonValueKind.Null))
        {
            (var problem, defaults) = defaults.With(entry);
            if (problem is not null)
            {
                return $"config.{entry.Name}: {problem}";
            }
        }

        return null;
    }

    private (string? Problem, AgentDefaults Defaults) With(JsonProperty entry) => entry.Name switch
    {
        "model" => Text(entry, SessionOptions.RefusalOfModel, model => this with { Model = model }),
        "systemPrompt" => Text(entry, SessionOptions.RefusalOfPrompt, prompt => this with { SystemPrompt = prompt }),
        "permissionMode" or "permission_mode" => Text(entry, SessionOptions.RefusalOfPermissionMode, mode => this with { PermissionMode = mode }),
        "maxTurns" or "max_turns" => entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out var turns)
            ? (SessionOptions.RefusalOfMaxTurns(turns), this with { MaxTurns = turns })
            : ("must be a whole number", this),
        _ when IsServers(entry.Name) => (
            SessionOptions.Refusal(new SessionConfig { McpServers = entry.Value }), this with { McpServers = entry.Value }),
        _ => (null, this),
    };

    private static bool IsServers(string name) => name is "mcpServers" or "mcp_servers";

    private (string? Problem, AgentDefaults Defaults) Text(JsonProperty entry, Func<string, string?> check, Func<string, AgentDefaults> take) =>
        entry.Value.ValueKind == JsonValueKind.String && entry.Value.GetString() is { } text ? (check(text), take(text)) : ("must be string", this);
}
