using Ash.Server.Events;

namespace Ash.Server.Storage;

/// <summary>Reads the rows of logs from one database. Thread-safe.</summary>
internal interface IEventRows
{
    /// <summary>Reads rows after <paramref name="afterSeq"/> in order, until one more would be beyond a limit.</summary>
    /// <param name="session">Whose rows.</param>
    /// <param name="afterSeq">The last row that is not wanted.</param>
    /// <param name="limit">At most so many rows.</param>
    /// <param name="maxBytes">The row that brings the payloads above this is the last.</param>
    /// <param name="take">Gets each row.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="StoreException">The rows could not be read.</exception>
    ValueTask ReadAsync(Guid session, long afterSeq, int limit, int maxBytes, Action<EventRow> take, CancellationToken cancellationToken);

    /// <summary>Number of the newest row; 0 where there is none.</summary>
    ValueTask<long> FindHeadAsync(Guid session, CancellationToken cancellationToken);
}
