using Ash.Server.Storage;
using Ash.Server.Telemetry;

namespace Ash.Server.Sessions;

/// <summary>A turn that has not ended: it waits in the session's queue, or runs.</summary>
internal sealed class Turn(Guid id, byte[] content, string? model, TurnOptions? options, DateTimeOffset createdAt)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Guid Id { get; } = id;

    /// <summary>A JSON string or array of blocks, as the user sent it.</summary>
    public byte[] Content { get; } = content;

    /// <summary>Model that this message asked for, or null.</summary>
    public string? Model { get; } = model;

    /// <summary>What else it asked for, or null.</summary>
    public TurnOptions? Options { get; } = options;

    public DateTimeOffset CreatedAt { get; } = createdAt;

    /// <summary>Its <c>turn.started</c> is in the log; a turn that is started again has it once all the same.</summary>
    public bool IsStarted { get; set; }

    /// <summary>How often it was handed to a process.</summary>
    public int Attempts { get; set; }

    /// <summary>A process has it. False before the first, and again once a process was lost that had done nothing yet.</summary>
    public bool IsHandedOver { get; set; }

    /// <summary>Its first model call was let through: from here on tools may have had effects.</summary>
    public bool HasCalledModel { get; set; }

    /// <summary>Why it was asked to stop, or null.</summary>
    public TurnReason? StopReason { get; set; }

    /// <summary>The CLI is done with its line: where no result came, none will.</summary>
    public bool IsSettledByCli { get; set; }

    /// <summary>The <c>error</c> of the last assistant line that was not the model's.</summary>
    public string? ModelError { get; set; }

    /// <summary>What it reports to; null until the session has taken it.</summary>
    public TurnTelemetry? Telemetry { get; set; }

    /// <summary>Completes once its <c>turn.completed</c> is in the log.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Its id: that is all that is logged of it.</summary>
    public override string ToString() => Id.ToString();

    public void MarkEnded() => _ended.TrySetResult();

    public static Turn FromRecord(TurnRecord record, byte[] content) => new(record.Id, content, record.Model, TurnOptions.Parse(record.Options), record.CreatedAt)
    {
        IsStarted = record.StartedSeq is not null,
        HasCalledModel = record.ModelCalledAt is not null,
        Attempts = record.StartedSeq is null ? 0 : 1,
        IsHandedOver = record.StartedSeq is not null,
    };
}
