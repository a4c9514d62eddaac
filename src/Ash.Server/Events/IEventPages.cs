namespace Ash.Server.Events;

/// <summary>Reads the log of a session, page by page, from where it is stored.</summary>
internal interface IEventPages
{
    /// <summary>Reads rows after <paramref name="afterSeq"/>: all that were committed before the call, in order.</summary>
    /// <param name="limit">No more rows than this; a page may be shorter, to hold no more than about a megabyte.</param>
    ValueTask<EventPage> ReadAsync(Guid session, long afterSeq, int limit, CancellationToken cancellationToken);
}
