using Ash.Server.Storage;
using Ash.Server.Telemetry;

namespace Ash.Server.Sessions;

/// <summary>A turn that has not ended: it waits in the session's queue, or runs.</summary>
internal sealed class Turn(Guid id, byte[] content, string? model, TurnOptions? options, DateTimeOffset createdAt)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Its own first.</summary>
    private readonly List<SteeredText> _texts = [new(id, content)];

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

    /// <summary>The CLI is done with its lines: where no result came, none will.</summary>
    public bool IsSettledByCli => _texts.TrueForAll(static text => text.IsSettled);

    /// <summary>What a result said that was not the turn's end: a text that came later has none yet.</summary>
    public TurnOutcome? Interim { get; set; }

    /// <summary>What users have said to it since it began.</summary>
    public IEnumerable<SteeredText> Steers => _texts.Skip(1);

    /// <summary>How many of its texts, its own among them, have no result yet.</summary>
    public int Unanswered => _texts.Count(static text => !text.IsAnswered);

    /// <summary>The <c>error</c> of the last assistant line that was not the model's.</summary>
    public string? ModelError { get; set; }

    /// <summary>What it reports to; null until the session has taken it.</summary>
    public TurnTelemetry? Telemetry { get; set; }

    /// <summary>Completes once its <c>turn.completed</c> is in the log.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Its id: that is all that is logged of it.</summary>
    public override string ToString() => Id.ToString();

    public void MarkEnded() => _ended.TrySetResult();

    public void Steer(SteeredText text) => _texts.Add(text);

    /// <summary>A process is given all of its texts.</summary>
    public void BeginAnew()
    {
        Interim = null;
        foreach (var text in _texts)
        {
            text.IsAnswered = text.IsSettled = false;
        }
    }

    /// <summary>Takes note of a result of the CLI.</summary>
    /// <param name="answered">The uuids that it names; none for all that there are.</param>
    /// <returns>Whether it is of this turn.</returns>
    public bool TakeResult(IReadOnlyList<Guid> answered)
    {
        var isMine = answered.Count == 0;
        foreach (var text in _texts.Where(text => answered.Count == 0 || answered.Contains(text.Id)))
        {
            text.IsAnswered = true;
            isMine = true;
        }

        return isMine;
    }

    /// <summary>The CLI is done with one of its texts, where this is one.</summary>
    public void Settle(Guid? uuid) => _texts.Find(text => text.Id == uuid)?.IsSettled = true;

    public static Turn FromRecord(TurnRecord record, byte[] content) => new(record.Id, content, record.Model, TurnOptions.Parse(record.Options), record.CreatedAt)
    {
        IsStarted = record.StartedSeq is not null,
        HasCalledModel = record.ModelCalledAt is not null,
        Attempts = record.StartedSeq is null ? 0 : 1,
        IsHandedOver = record.StartedSeq is not null,
    };
}
