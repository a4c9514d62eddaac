namespace Ash.Client;

/// <summary>How a message is sent, beyond what it says.</summary>
public sealed record SendMessageOptions
{
    /// <summary>
    /// A key of the caller's own, for a message that a later process may have to send again: the same key and the same
    /// message give the same turn, for a day. Where it is null each call makes a key, so that its own repetitions are harmless.
    /// </summary>
    public string? IdempotencyKey { get; init; }
}
