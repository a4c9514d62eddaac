using Ash.Server.Events;

namespace Ash.Server.Sessions;

/// <summary>A fact that is about to be appended; the log gives it its number.</summary>
/// <param name="Type">What kind of fact it is.</param>
/// <param name="TurnId">The turn it belongs to, if any.</param>
/// <param name="Payload">See <see cref="EventRow.Payload"/>.</param>
/// <param name="IsPartial">Whether it exists only because partial messages are on, and may go some time after its turn's end.</param>
internal readonly record struct LogEntry(EventType Type, Guid? TurnId, ReadOnlyMemory<byte> Payload, bool IsPartial = false);
