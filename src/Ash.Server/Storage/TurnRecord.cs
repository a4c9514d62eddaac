namespace Ash.Server.Storage;

internal sealed class TurnRecord
{
    /// <summary>UUIDv7; also the message's id and the CLI's <c>uuid</c> of it.</summary>
    public Guid Id { get; set; }

    public Guid SessionId { get; set; }
    public TurnStatus Status { get; set; }

    /// <summary>The <c>message</c> event that holds what the user sent.</summary>
    public long MessageSeq { get; set; }

    /// <summary>The <c>turn.started</c> event; null for a turn that never began.</summary>
    public long? StartedSeq { get; set; }

    /// <summary>The <c>turn.completed</c> event.</summary>
    public long? CompletedSeq { get; set; }

    /// <summary>Model asked for by this message alone.</summary>
    public string? Model { get; set; }

    /// <summary>JSON of what else it asked for; null where that is nothing.</summary>
    public string? Options { get; set; }

    /// <summary>When its first model call was let through; a turn that lost its sandbox before may be started again.</summary>
    public DateTimeOffset? ModelCalledAt { get; set; }

    public string? Reason { get; set; }
    public string? Code { get; set; }
    public bool Retryable { get; set; }

    /// <summary>The answer's text, or the error's.</summary>
    public string? Result { get; set; }

    /// <summary>JSON as the CLI reported it.</summary>
    public string? Usage { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>When its partial rows were removed; null while they are there, or never were.</summary>
    public DateTimeOffset? DeltasPrunedAt { get; set; }
}

internal enum TurnStatus
{
    Queued,
    Running,
    Ended,
}
