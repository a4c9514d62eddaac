using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Ash.Server.Events;

namespace Ash.Server.Storage;

/// <summary>Reads the logs. Any number of readers at a time, each on a connection of its own while it reads a page.</summary>
internal sealed class EventStore(StoreLocation location, EventFiles files) : IEventPages, IDisposable
{
    private const int MaxPageBytes = 1024 * 1024;
    private const int MaxIdleReaders = 16;

    /// <summary>What a power cut leaves is twice as wide, less what was lost; what was removed since is far smaller.</summary>
    private const long PowerLossGap = 500_000;

    private readonly ConcurrentBag<EventReader> _idle = [];

    public ValueTask<EventPage> ReadAsync(Guid session, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        // SQLite has no asynchronous reads; a page comes from the page cache in well under a millisecond.
        var rows = new List<EventRow>(Math.Min(limit, 512));
        List<SeqRange>? pruned = null;
        var bytes = 0;
        var previous = afterSeq;
        Use(reader => reader.Read(session, afterSeq, limit, seq => files.Read(session, seq), row =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (row.Seq > previous + 1 && row.Seq - previous < PowerLossGap)
            {
                (pruned ??= []).Add(new SeqRange(previous + 1, row.Seq - 1));
            }

            rows.Add(row);
            previous = row.Seq;
            bytes += row.Payload.Length;
            return bytes <= MaxPageBytes;
        }));
        return ValueTask.FromResult(new EventPage(rows, HasMore: rows.Count == limit || bytes > MaxPageBytes, pruned ?? []));
    }

    /// <summary>Every row after <paramref name="afterSeq"/>, as far as there is one now.</summary>
    public async IAsyncEnumerable<EventRow> ReadAllAsync(
        Guid session, long afterSeq, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const int pageRows = 500;
        EventPage page;
        do
        {
            page = await ReadAsync(session, afterSeq, pageRows, cancellationToken);
            foreach (var row in page.Rows)
            {
                yield return row;
                afterSeq = row.Seq;
            }
        }
        while (page.HasMore);
    }

    /// <summary>One row that is known to exist.</summary>
    public async Task<EventRow> ReadRowAsync(Guid session, long seq, CancellationToken cancellationToken)
    {
        var page = await ReadAsync(session, seq - 1, limit: 1, cancellationToken);
        return page.Rows is [var row] && row.Seq == seq ? row : throw new StoreException($"Row {seq} of session {session} is not stored.");
    }

    /// <summary>Number of the newest row; 0 where there is none.</summary>
    public Task<long> FindHeadAsync(Guid session, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var head = 0L;
        Use(reader => head = reader.FindHead(session));
        return Task.FromResult(head);
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }

    /// <summary>A reader that failed is closed, and the next caller opens a new one.</summary>
    private void Use(Action<EventReader> work)
    {
        if (!_idle.TryTake(out var reader))
        {
            reader = new EventReader(location);
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
