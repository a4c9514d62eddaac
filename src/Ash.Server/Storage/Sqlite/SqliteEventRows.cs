using System.Collections.Concurrent;
using Ash.Server.Events;

namespace Ash.Server.Storage.Sqlite;

/// <summary>Rows of SQLite's logs, each reader on a connection of its own while it reads a page.</summary>
/// <remarks>SQLite has no asynchronous reads; a page comes from the page cache in well under a millisecond.</remarks>
internal sealed class SqliteEventRows(SqliteLocation location, EventFiles files) : IEventRows, IDisposable
{
    private const int MaxIdleReaders = 16;

    private readonly ConcurrentBag<SqliteEventReader> _idle = [];

    public ValueTask ReadAsync(Guid session, long afterSeq, int limit, int maxBytes, Action<EventRow> take, CancellationToken cancellationToken)
    {
        long bytes = 0;
        Use(reader => reader.Read(session, afterSeq, limit, seq => files.Read(session, seq), row =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            take(row);
            bytes += row.Payload.Length;
            return bytes <= maxBytes;
        }));
        return ValueTask.CompletedTask;
    }

    public ValueTask<long> FindHeadAsync(Guid session, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var head = 0L;
        Use(reader => head = reader.FindHead(session));
        return ValueTask.FromResult(head);
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }

    /// <summary>A reader that failed is closed, and the next caller opens a new one.</summary>
    private void Use(Action<SqliteEventReader> work)
    {
        if (!_idle.TryTake(out var reader))
        {
            reader = new SqliteEventReader(location);
        }

        var isKept = false;
        try
        {
            work(reader);
            isKept = _idle.Count < MaxIdleReaders;
        }
        finally
        {
            if (isKept)
            {
                _idle.Add(reader);
            }
            else
            {
                reader.Dispose();
            }
        }
    }
}
