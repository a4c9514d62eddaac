using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ash.Protocol.Api;
using Ash.Server.Agents;

namespace Ash.Server.Sessions;

/// <summary>What a session's creator chooses of how its agent works: checked, stored as JSON, turned into flags of the CLI.</summary>
internal static partial class SessionOptions
{
    public static readonly string[] PermissionModes = ["bypassPermissions", "permissionsByAgent", "default"];

    private const int MaxWords = 1000;
    private const int MaxWordLength = 1000;

    /// <summary>The kernel takes 128 KiB in one argument.</summary>
    private const int MaxFlagLength = 100_000;

    /// <summary>What a new session is to begin with.</summary>
    public static SessionConfig Of(CreateSessionRequest request) => new()
    {
        AllowedTools = request.AllowedTools,
        DisallowedTools = request.DisallowedTools,
        Betas = request.Betas,
        Subagents = Given(request.Subagents),
        InitialAgent = request.InitialAgent,
        McpServers = Given(request.McpServers),
    };

    /// <summary>What a new session is to begin with, where its creator and its agent have chosen.</summary>
    /// <param name="request">The creator's choice, which goes first; null where nobody has asked yet.</param>
    /// <param name="defaults">The agent's.</param>
    public static SessionConfig Of(CreateSessionRequest? request, AgentDefaults defaults)
    {
        var chosen = request is null ? new SessionConfig() : Of(request);
        return chosen with { MaxTurns = defaults.MaxTurns, McpServers = McpServerMap.Join(defaults.McpServers, chosen.McpServers) };
    }

    /// <summary>What is to change of a session.</summary>
    public static SessionConfig Of(UpdateSessionConfigRequest request) => new()
    {
        AllowedTools = request.AllowedTools,
        DisallowedTools = request.DisallowedTools,
        Betas = request.Betas,
        Subagents = Given(request.Subagents),
        InitialAgent = request.InitialAgent,
    };

    /// <summary>As it is stored and shown, without the secrets that servers are given: null where nothing was chosen.</summary>
    public static string? ToJson(SessionConfig config) => config == new SessionConfig()
        ? null
        : JsonSerializer.Serialize(
            config with { McpServers = config.McpServers is { } servers ? McpServerMap.Mask(servers) : null }, ApiJson.Default.SessionConfig);

    /// <param name="stored">As it is stored; null where nothing was chosen.</param>
    public static SessionConfig? Parse(string? stored) =>
        stored is null ? null : JsonSerializer.Deserialize(stored, ApiJson.Default.SessionConfig);

    /// <summary>What is stored, with what changes of it, as it is stored then.</summary>
    public static string? Merge(string? stored, SessionConfig change)
    {
        var config = Parse(stored) ?? new SessionConfig();
        return ToJson(config with
        {
            AllowedTools = change.AllowedTools ?? config.AllowedTools,
            DisallowedTools = change.DisallowedTools ?? config.DisallowedTools,
            Betas = change.Betas ?? config.Betas,
            Subagents = change.Subagents ?? config.Subagents,
            InitialAgent = change.InitialAgent ?? config.InitialAgent,
        });
    }

    /// <summary>Whether a certain one of its agents talks to the user.</summary>
    public static bool HasInitialAgent(string? stored) => Parse(stored)?.InitialAgent is { Length: > 0 };

    /// <summary>What is wrong with a choice, or null.</summary>
    public static string? Refusal(SessionConfig config) =>
        RefusalOfWords("allowedTools", config.AllowedTools)
        ?? RefusalOfWords("disallowedTools", config.DisallowedTools)
        ?? RefusalOfWords("betas", config.Betas)
        ?? (config.Subagents is { } agents ? RefusalOfSubagents(agents) : null)
        ?? (config.InitialAgent is null || ValidName().IsMatch(config.InitialAgent) ? null : $"initialAgent must match {ValidName()}")
        ?? (config.MaxTurns is { } turns ? RefusalOfMaxTurns(turns) : null)
        ?? (config.McpServers is { } servers ? McpServerMap.Refusal(servers) : null);

    public static string? RefusalOfModel(string model) => model.Length is 0 or > 100 ? "model must have 1 to 100 characters" : null;

    public static string? RefusalOfPrompt(string prompt) =>
        prompt.Length > AgentDeploys.MaxPromptLength ? $"systemPrompt must NOT have more than {AgentDeploys.MaxPromptLength} characters" : null;

    public static string? RefusalOfMaxTurns(int turns) => turns < 1 ? "maxTurns must be >= 1" : null;

    public static string? RefusalOfPermissionMode(string mode) =>
        PermissionModes.Contains(mode) ? null : $"permissionMode must be one of {string.Join(", ", PermissionModes)}";

    /// <summary>The CLI's start flags for what was chosen.</summary>
    /// <param name="stored">As it is stored; null where nothing was.</param>
    /// <param name="alwaysDisallowed">A tool that no session has.</param>
    /// <param name="hasTurns">Whether the message says how many model calls its turn may take.</param>
    public static IEnumerable<string> Flags(string? stored, string alwaysDisallowed, bool hasTurns)
    {
        var config = Parse(stored);
        yield return $"--disallowedTools={string.Join(',', [alwaysDisallowed, .. config?.DisallowedTools ?? []])}";
        if (config is null)
        {
            yield break;
        }

        if (config.AllowedTools is { Count: > 0 } allowed)
        {
            yield return $"--allowedTools={string.Join(',', allowed)}";
        }

        if (config.Betas is { Count: > 0 } betas)
        {
            yield return $"--betas={string.Join(',', betas)}";
        }

        if (config.Subagents is { } subagents)
        {
            yield return $"--agents={subagents.GetRawText()}";
        }

        if (config.InitialAgent is { Length: > 0 } agent)
        {
            yield return $"--agent={agent}";
        }

        if (config.MaxTurns is { } turns && !hasTurns)
        {
            yield return MaxTurnsFlag(turns);
        }
    }

    public static string MaxTurnsFlag(int turns) => string.Create(CultureInfo.InvariantCulture, $"--max-turns={turns}");

    private static JsonElement? Given(JsonElement? element) => element is { ValueKind: JsonValueKind.Null } ? null : element;

    private static string? RefusalOfWords(string field, IReadOnlyList<string>? words) =>
        words is null ? null
        : words.Count > MaxWords || words.Sum(word => word?.Length ?? 0) > MaxFlagLength ? $"{field} must have at most {MaxWords} entries"
        : words.Any(word => string.IsNullOrWhiteSpace(word) || word.Length > MaxWordLength || word.Any(char.IsControl))
            ? $"{field} must hold strings of 1 to {MaxWordLength} characters"
        : null;

    private static string? RefusalOfSubagents(JsonElement subagents)
    {
        if (RefusalOfMap("subagents", subagents) is { } reason)
        {
            return reason;
        }

        foreach (var agent in subagents.EnumerateObject())
        {
            if (!IsText(agent.Value, "description") || !IsText(agent.Value, "prompt"))
            {
                return $"subagents.{agent.Name} must have a description and a prompt";
            }

            if (agent.Value.TryGetProperty("mcpServers", out var servers)
                && (servers.ValueKind != JsonValueKind.Array || servers.EnumerateArray().Any(static server => server.ValueKind != JsonValueKind.String)))
            {
                return $"subagents.{agent.Name}.mcpServers must hold names of servers; give the servers as the session's mcpServers";
            }
        }

        return null;
    }

    public static string? RefusalOfMap(string field, JsonElement map)
    {
        if (map.ValueKind != JsonValueKind.Object)
        {
            return $"{field} must be object";
        }

        if (map.GetRawText().Length > MaxFlagLength)
        {
            return $"{field} must be at most {MaxFlagLength} characters";
        }

        foreach (var entry in map.EnumerateObject())
        {
            if (!ValidName().IsMatch(entry.Name))
            {
                return $"{field}: the name \"{entry.Name}\" must match {ValidName()}";
            }

            if (entry.Value.ValueKind != JsonValueKind.Object)
            {
                return $"{field}.{entry.Name} must be object";
            }
        }

        return null;
    }

    public static bool IsText(JsonElement map, string name) =>
        map.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String;

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,255}\\z")]
    private static partial Regex ValidName();
}
