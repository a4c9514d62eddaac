using System.Text.Json;

namespace Ash.Simulator.Scripts;

/// <summary>What a script file holds: scenarios, and what else the scripted model shows.</summary>
public sealed record Script
{
    public static Script Empty { get; } = new();

    /// <summary>The first whose condition matches answers.</summary>
    public IReadOnlyList<Scenario> Scenarios { get; init; } = [];

    /// <summary>Answers what no scenario matches; without it, the answer comes from the conversation.</summary>
    public ScriptStep? Default { get; init; }

    /// <summary>Ids for <c>GET /v1/models</c>.</summary>
    public IReadOnlyList<string>? Models { get; init; }

    /// <summary>Added to every scripted reply.</summary>
    public Dictionary<string, string>? Headers { get; init; }

    /// <summary>User texts that the client writes by itself, beside the known ones; they start no new script.</summary>
    public IReadOnlyList<ScriptPattern> Continuations { get; init; } = [];

    /// <summary>Reads a script file's content.</summary>
    /// <exception cref="ScriptException">It is not a script.</exception>
    public static Script Parse(string json) => ScriptJson.Read<Script>(json);

    /// <summary>Reads one step or a list of steps.</summary>
    /// <exception cref="ScriptException">They are not steps.</exception>
    public static IReadOnlyList<ScriptStep> ParseSteps(string json) => ParseSteps(ScriptJson.Read<JsonElement>(json));

    internal static IReadOnlyList<ScriptStep> ParseSteps(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => [.. json.EnumerateArray().Select(ParseStep)],
        JsonValueKind.Object when json.TryGetProperty("steps", out var steps) => ParseSteps(steps),
        _ => [ParseStep(json)],
    };

    private static ScriptStep ParseStep(JsonElement json) => json.ValueKind == JsonValueKind.Object
        ? ScriptJson.Read<ScriptStep>(json)
        : throw new ScriptException("a step is an object");
}

/// <summary>A list of replies to the prompts that a condition matches.</summary>
public sealed record Scenario
{
    public string? Name { get; init; }

    public ScriptCondition? When { get; init; }

    public IReadOnlyList<ScriptStep> Steps { get; init; } = [];
}
