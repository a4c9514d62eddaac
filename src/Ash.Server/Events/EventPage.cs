namespace Ash.Server.Events;

/// <summary>Some rows of a session's log.</summary>
/// <param name="Rows">Ascending, and without a row missing between them that is still stored.</param>
/// <param name="HasMore">Whether there may be more behind them. A page with more has at least one row.</param>
/// <param name="Pruned">Which rows before the last of <paramref name="Rows"/> were removed since, ascending.</param>
internal sealed record EventPage(IReadOnlyList<EventRow> Rows, bool HasMore, IReadOnlyList<SeqRange> Pruned)
{
    public static EventPage Empty { get; } = new([], HasMore: false, []);
}

/// <summary>Rows from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
internal readonly record struct SeqRange(long First, long Last);
