namespace Ash.Server.Storage;

/// <summary>One fact about a session. Written by <see cref="StoreTransaction.Append"/>; here for the schema and for whole-session work.</summary>
internal sealed class EventRecord
{
    public long Id { get; set; }
    public Guid SessionId { get; set; }

    /// <summary>1, 2, 3 … within the session.</summary>
    public long Seq { get; set; }

    public Guid? TurnId { get; set; }
    public required string Type { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long At { get; set; }

    /// <summary>Whether it exists only because partial messages are on, and may go some time after its turn's end.</summary>
    public bool IsPartial { get; set; }

    /// <summary>Null where the payload is too large for a row and lies in a file.</summary>
    public byte[]? Payload { get; set; }
}
