namespace Ash.Server.Storage;

/// <summary>What a session's processes said beside the conversation, and what became of them. Only the newest are kept.</summary>
internal sealed class LogLineRecord
{
    public Guid SessionId { get; set; }

    /// <summary>From 0 on, without gaps; the oldest go first.</summary>
    public long Number { get; set; }

    public LogSource Source { get; set; }
    public required string Text { get; set; }
    public DateTimeOffset At { get; set; }
}

/// <summary>Where a line comes from; the names are the contract's.</summary>
internal enum LogSource
{
    /// <summary>A process inside wrote it to its standard error.</summary>
    Stderr,

    /// <summary>The server says what it did with the sandbox, or what happened to it.</summary>
    System,
}
