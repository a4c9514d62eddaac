using Ash.Server.Events;

namespace Ash.Server.Sessions;

/// <summary>A fact that is about to be appended; the log gives it its number.</summary>
internal readonly record struct LogEntry(EventType Type, Guid? TurnId, ReadOnlyMemory<byte> Payload);
