namespace Ash.Server.Events;

/// <summary>What a row says in the contract's words: a message of the history, or an entry of the timeline.</summary>
/// <param name="Id">The same whenever it is read.</param>
/// <param name="Kind">A message's role, an entry's type.</param>
/// <param name="Text">A message's content, an entry's data.</param>
/// <param name="Sequence">Number of the row.</param>
/// <param name="At">When the row was appended.</param>
internal readonly record struct LogItem(Guid Id, string Kind, JsonPieces Text, long Sequence, DateTimeOffset At);
