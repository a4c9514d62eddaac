using Ash.Server.Events;

namespace Ash.Server.Tests.Events;

/// <summary>A log in memory, with pages as short as a test wants them.</summary>
internal sealed class StoredLog(int maxPageRows = int.MaxValue) : IEventPages
{
    private readonly Lock gate = new();
    private readonly List<EventRow> rows = [];
    private readonly List<SeqRange> pruned = [];
    private int reads;

    public int Reads => Volatile.Read(ref reads);

    public long Head { get; private set; }

    public void Append(params ReadOnlySpan<EventRow> more)
    {
        lock (gate)
        {
            rows.AddRange(more);
            Head = rows[^1].Seq;
        }
    }

    public void Prune(long first, long last)
    {
        lock (gate)
        {
            rows.RemoveAll(row => row.Seq >= first && row.Seq <= last);
            pruned.Add(new(first, last));
        }
    }

    public ValueTask<EventPage> ReadAsync(Guid session, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref reads);
        lock (gate)
        {
            var first = rows.FindIndex(row => row.Seq > afterSeq);
            if (first < 0)
            {
                return new(EventPage.Empty);
            }

            var page = rows.GetRange(first, Math.Min(Math.Min(limit, maxPageRows), rows.Count - first));
            return new(new EventPage(
                page,
                HasMore: first + page.Count < rows.Count,
                [.. pruned.Where(range => range.Last > afterSeq && range.First < page[^1].Seq)]));
        }
    }
}
