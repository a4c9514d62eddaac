namespace Ash.Simulator.Scripts;

/// <summary>Which requests a scenario or a queued step answers: every field given must match.</summary>
public sealed record ScriptCondition
{
    /// <summary>The last prompt.</summary>
    public ScriptPattern? Prompt { get; init; }

    /// <summary>The system prompt.</summary>
    public ScriptPattern? System { get; init; }

    public ScriptPattern? Model { get; init; }

    /// <summary>The whole name of a tool that the request offers.</summary>
    public ScriptPattern? Tool { get; init; }

    /// <summary>Headers by name.</summary>
    public Dictionary<string, ScriptPattern>? Header { get; init; }

    /// <summary>True: the request offers no tools.</summary>
    public bool NoTools { get; init; }

    public bool? Stream { get; init; }

    internal bool Matches(ModelRequest request) =>
        (Prompt is null || Prompt.IsIn(request.Conversation.Prompt))
        && (System is null || System.IsIn(request.SystemText))
        && (Model is null || Model.IsIn(request.Model))
        && (Tool is null || request.Tools.Any(Tool.IsWhole))
        && (!NoTools || request.Tools.Count == 0)
        && (Stream is null || Stream == request.Stream)
        && (Header is null || Header.All(header => header.Value.IsIn(request.Header(header.Key))));
}
