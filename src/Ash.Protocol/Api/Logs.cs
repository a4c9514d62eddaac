namespace Ash.Protocol.Api;

/// <summary>A line of what a session's sandbox wrote beside its agent's own stream.</summary>
/// <param name="Index">Counts the lines of the sandbox, from 0.</param>
/// <param name="Level"><c>stdout</c>, <c>stderr</c> or <c>system</c>.</param>
/// <param name="Text">Without its line end. What a sandbox writes is not to be trusted.</param>
/// <param name="Ts">When it was read.</param>
public sealed record SessionLogEntry(int Index, string Level, string Text, DateTimeOffset Ts);

/// <param name="Logs">The oldest first; none where there is no sandbox.</param>
/// <param name="Source"><c>sandbox</c>.</param>
public sealed record SessionLogListEnvelope(IReadOnlyList<SessionLogEntry> Logs, string Source);
