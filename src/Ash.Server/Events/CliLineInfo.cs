namespace Ash.Server.Events;

/// <summary>
/// What the runtime needs to know of a line. Texts are null where the line has none, where they are longer than a kilobyte and
/// where they are no Unicode; slices are offsets into the line.
/// </summary>
internal readonly struct CliLineInfo
{
    public required CliLineKind Kind { get; init; }

    /// <summary>Of <c>system</c> and <c>result</c> lines; for control requests and responses that of their inner object.</summary>
    public string? Subtype { get; init; }

    /// <summary>The line is there only because partial messages are on.</summary>
    public bool IsPartial { get; init; }

    /// <summary>The line belongs to the log. Control, keep-alive, <c>command_lifecycle</c> and state lines do not.</summary>
    public bool IsStored { get; init; }

    /// <summary>Of <c>session_state_changed</c> and <c>command_lifecycle</c> lines.</summary>
    public string? State { get; init; }

    /// <summary>Of <c>command_lifecycle</c> lines: the <c>uuid</c> of the user message.</summary>
    public Guid? CommandUuid { get; init; }

    /// <summary>Of <c>conversation_reset</c> lines.</summary>
    public string? NewConversationId { get; init; }

    /// <summary>Of control lines.</summary>
    public string? RequestId { get; init; }

    /// <summary>Of control requests that ask for a permission.</summary>
    public string? ToolName { get; init; }

    /// <summary>Of <c>assistant</c> lines: set where the message is not the model's; of control responses: why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>Of <c>result</c> lines; <c>success</c> with an error is a failed call of the model.</summary>
    public bool IsError { get; init; }

    public string? TerminalReason { get; init; }

    /// <summary>Of <c>result</c> lines: the user messages that it answers, at most 64, without doubles.</summary>
    public IReadOnlyList<Guid> UserMessageUuids => _userMessageUuids ?? [];

    /// <summary>Of <c>result</c> lines; more than 0: another turn follows by itself.</summary>
    public int? QueuedTurnCount { get; init; }

    /// <summary>Of <c>result</c> and <c>assistant</c> lines.</summary>
    public string? ApiErrorType { get; init; }

    /// <summary>Of <c>result</c> lines.</summary>
    public JsonSlice Result { get; init; }

    /// <inheritdoc cref="Result"/>
    public JsonSlice Usage { get; init; }

    private readonly Guid[]? _userMessageUuids;

    internal Guid[]? AnsweredMessages
    {
        init => _userMessageUuids = value;
    }
}
