namespace Ash.Server.Events;

/// <summary>One row of a session's log: one fact, appended once and never changed.</summary>
/// <param name="Seq">1, 2, 3 … within its session.</param>
/// <param name="TurnId">The turn it belongs to, if any.</param>
/// <param name="Type">What kind of fact it is.</param>
/// <param name="At">When it was appended.</param>
/// <param name="Payload">
/// One JSON object: the line as the CLI wrote it, or the members of the fact. A fact's members are never named <c>type</c>,
/// <c>seq</c>, <c>at</c> or <c>turnId</c>: in its frame they stand beside those. A turn that failed has the member <c>error</c>.
/// </param>
internal readonly record struct EventRow(
    long Seq, Guid? TurnId, EventType Type, DateTimeOffset At, ReadOnlyMemory<byte> Payload);
