using System.Runtime.CompilerServices;
using Ash.Server.Events;

namespace Ash.Server.Storage;

/// <summary>Reads the logs, in pages. Any number of readers at a time.</summary>
internal sealed class EventStore(IEventRows stored) : IEventPages
{
    private const int MaxPageBytes = 1024 * 1024;

    /// <summary>What a power cut leaves is twice as wide, less what was lost; what was removed since is far smaller.</summary>
    private const long PowerLossGap = 500_000;

    public async ValueTask<EventPage> ReadAsync(Guid session, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        var rows = new List<EventRow>(Math.Min(limit, 512));
        List<SeqRange>? pruned = null;
        var bytes = 0;
        var previous = afterSeq;
        await stored.ReadAsync(session, afterSeq, limit, MaxPageBytes, Take, cancellationToken);
        return new EventPage(rows, HasMore: rows.Count == limit || bytes > MaxPageBytes, pruned ?? []);

        void Take(EventRow row)
        {
            if (row.Seq > previous + 1 && row.Seq - previous < PowerLossGap)
            {
                (pruned ??= []).Add(new SeqRange(previous + 1, row.Seq - 1));
            }

            rows.Add(row);
            previous = row.Seq;
            bytes += row.Payload.Length;
        }
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
    public ValueTask<long> FindHeadAsync(Guid session, CancellationToken cancellationToken) => stored.FindHeadAsync(session, cancellationToken);
}
