namespace Ash.Protocol.Api;

/// <summary>A line that a session's processes wrote beside the conversation, or that says what became of them.</summary>
/// <param name="Index">From 0 on. The newest 10,000 lines are kept.</param>
/// <param name="Level"><c>stderr</c> or <c>system</c>; the reference product knows <c>stdout</c> as well.</param>
/// <param name="Text">At most 2,000 characters of it, without its line end. What a sandbox writes is not to be trusted.</param>
/// <param name="Ts">When the server had it.</param>
public sealed record SessionLogEntry(long Index, string Level, string Text, DateTimeOffset Ts);

/// <param name="Logs">The oldest first.</param>
/// <param name="Source"><c>sandbox</c>.</param>
public sealed record SessionLogListEnvelope(IReadOnlyList<SessionLogEntry> Logs, string Source);
