namespace Ash.Server.Events;

/// <summary>
/// The tails of the sessions that somebody on this server owns or watches. A tail lives as long as anyone holds it, so that a
/// viewer of a sleeping session sees what happens once it wakes; watching wakes nothing.
/// </summary>
internal sealed class EventTails
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Guid, Entry> _entries = [];

    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>The tail of a session, to be disposed of when it is no longer needed.</summary>
    public Lease Acquire(Guid session)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(session, out var entry))
            {
                entry = new(new(session));
                _entries.Add(session, entry);
            }

            entry.Holders++;
            return new(this, entry.Tail);
        }
    }

    private void Release(Guid session)
    {
        lock (_gate)
        {
            if (--_entries[session].Holders == 0)
            {
                _entries.Remove(session);
            }
        }
    }

    /// <summary>Keeps a tail alive.</summary>
    public sealed class Lease(EventTails tails, EventTail tail) : IDisposable
    {
        private int _isDisposed;

        public EventTail Tail => tail;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                tails.Release(tail.Session);
            }
        }
    }

    private sealed class Entry(EventTail tail)
    {
        public EventTail Tail => tail;
        public int Holders { get; set; }
    }
}
