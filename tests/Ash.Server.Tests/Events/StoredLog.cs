using Ash.Server.Events;

namespace Ash.Server.Tests.Events;

/// <summary>A log in memory, with pages as short as a test wants them.</summary>
internal sealed class StoredLog(int maxPageRows = int.MaxValue) : IEventPages
{
    private readonly Lock _gate = new();
    private readonly List<EventRow> _rows = [];
    private readonly List<SeqRange> _pruned = [];
    private int _reads;

    public int Reads => Volatile.Read(ref _reads);

    public long Head { get; private set; }

    public void Append(params ReadOnlySpan<EventRow> more)
    {
        lock (_gate)
        {
            _rows.AddRange(more);
            Head = _rows[^1].Seq;
        }
    }

    public void Prune(long first, long last)
    {
        lock (_gate)
        {
            _rows.RemoveAll(row => row.Seq >= first && row.Seq <= last);
            _pruned.Add(new(first, last));
        }
    }

    public ValueTask<EventPage> ReadAsync(Guid session, long afterSeq, int limit, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        lock (_gate)
        {
            var first = _rows.FindIndex(row => row.Seq > afterSeq);
            if (first < 0)
            {
                return new(EventPage.Empty);
            }

            var page = _rows.GetRange(first, Math.Min(Math.Min(limit, maxPageRows), _rows.Count - first));
            return new(new EventPage(
                page,
                HasMore: first + page.Count < _rows.Count,
                [.. _pruned.Where(range => range.Last > afterSeq && range.First < page[^1].Seq)]));
        }
    }
}
