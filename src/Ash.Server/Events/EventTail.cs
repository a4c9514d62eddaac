using System.Buffers;

namespace Ash.Server.Events;

/// <summary>
/// The newest rows of one session, rendered and kept in memory for those who watch. One writer; any number of readers, which
/// take no lock. Whoever falls behind what is kept reads from the store: nobody who stops reading keeps anything alive.
/// </summary>
internal sealed class EventTail
{
    public const int DefaultMaxBytes = 4 * 1024 * 1024;

    /// <summary>Longer rows are not kept, so that no viewer ever has to take more than this at once.</summary>
    internal const int MaxRowBytes = 256 * 1024;

    private readonly Lock _gate = new();
    private readonly List<EventSignal> _viewers = [];
    private readonly FrameRenderer _renderer;
    private readonly int _maxBytes;
    private ArrayBufferWriter<byte> _buffer = new(1024);
    private Ring _ring = new(16);
    private long _head;
    private long _idleAt;
    private int _keptBytes;
    private volatile bool _isCompleted;

    public EventTail(Guid session, int maxBytes = DefaultMaxBytes)
    {
        Session = session;
        _maxBytes = maxBytes;
        _renderer = new(session);
    }

    public Guid Session { get; }

    /// <summary>The last row that was committed; 0 as long as nobody has said so.</summary>
    public long Head => Volatile.Read(ref _head);

    /// <summary>Whether nothing runs or waits, as of the row that is <see cref="Head"/>. So it begins.</summary>
    public bool IsIdle => IsIdleAt(Head);

    /// <summary>The session is gone; nothing follows.</summary>
    public bool IsCompleted => _isCompleted;

    /// <summary>What is kept, in bytes, about.</summary>
    internal int KeptBytes => Volatile.Read(ref _keptBytes);

    /// <summary>Says where the log stands, when its owner begins, and whether a turn runs or waits.</summary>
    public void Start(long committedHead, bool idle)
    {
        lock (_gate)
        {
            if (committedHead < _head)
            {
                throw new ArgumentOutOfRangeException(nameof(committedHead), "A log never becomes shorter.");
            }

            SetHead(committedHead, idle);
            Wake();
        }
    }

    /// <summary>
    /// Shows rows to all who watch. They are in the store already, and follow each other and the ones before without a
    /// committed row between them.
    /// </summary>
    /// <param name="rows">The rows of one commit; none to say only whether the session is idle.</param>
    /// <param name="idle">Whether, with these rows, no turn runs or waits.</param>
    public void Publish(ReadOnlySpan<EventRow> rows, bool idle)
    {
        lock (_gate)
        {
            if (rows.IsEmpty)
            {
                SetHead(_head, idle);
            }
            else
            {
                var segment = Render(rows);
                Keep(segment);
                SetHead(segment.LastSeq, idle);
            }

            Wake();
        }
    }

    /// <summary>Ends all streams once they have written what there is.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isCompleted = true;
            Wake();
        }
    }

    /// <summary>Sets <paramref name="signal"/> whenever there is something new, until <see cref="Unsubscribe"/>.</summary>
    public void Subscribe(EventSignal signal)
    {
        lock (_gate)
        {
            _viewers.Add(signal);
        }
    }

    public void Unsubscribe(EventSignal signal)
    {
        lock (_gate)
        {
            var index = _viewers.IndexOf(signal);
            if (index >= 0)
            {
                _viewers[index] = _viewers[^1];
                _viewers.RemoveAt(_viewers.Count - 1);
            }
        }
    }

    /// <summary>Finds the segment with the rows that directly follow <paramref name="after"/>.</summary>
    /// <returns>False where there are none yet, or they are kept no longer: <see cref="Head"/> tells which.</returns>
    public bool TryRead(long after, out TailSegment segment, out int firstRow)
    {
        segment = null!; // Only looked at where the method returns true.
        firstRow = 0;
        var current = Volatile.Read(ref _ring);
        var (low, high) = (Volatile.Read(ref current.First), Volatile.Read(ref current.End));

        // The oldest segment that ends behind `after`. Slots may be cleared while we look: then the reader is too late.
        while (low < high)
        {
            var middle = low + ((high - low) >> 1);
            if (current[middle] is not { } candidate)
            {
                low = middle + 1;
            }
            else if (candidate.LastSeq <= after)
            {
                low = middle + 1;
            }
            else
            {
                segment = candidate;
                high = middle;
            }
        }

        if (segment is null || segment.PreviousSeq > after)
        {
            return false;
        }

        firstRow = segment.IndexAfter(after);
        return !segment.Rows[firstRow].IsAbsent;
    }

    /// <summary>Whether the row <paramref name="seq"/> is the head, and nothing runs or waits after it.</summary>
    internal bool IsIdleAt(long seq) => Volatile.Read(ref _idleAt) == seq && Head == seq;

    private TailSegment Render(ReadOnlySpan<EventRow> rows)
    {
        var rendered = new TailRow[rows.Length];
        var previous = _head == 0 ? rows[0].Seq - 1 : _head;
        for (var index = 0; index < rows.Length; index++)
        {
            ref readonly var row = ref rows[index];
            if (row.Seq <= (index == 0 ? previous : rendered[index - 1].Seq))
            {
                throw new ArgumentException("Rows must ascend.", nameof(rows));
            }

            var frames = _renderer.Plan(row);
            var isAbsent = frames.Length > MaxRowBytes || _buffer.WrittenCount + frames.Length > _maxBytes / 2;
            if (!isAbsent)
            {
                frames.CopyTo(_buffer);
            }

            rendered[index] = new(row.Seq, _buffer.WrittenCount, frames.Flags, isAbsent, row.TurnId);
            frames.Release();
        }

        var bytes = _buffer.WrittenSpan.ToArray();
        _buffer.ResetWrittenCount();
        if (_buffer.Capacity > MaxRowBytes)
        {
            _buffer = new(1024);
        }

        return new(previous, rendered, bytes);
    }

    private void Keep(TailSegment segment)
    {
        if (_ring.End - _ring.First == _ring.Capacity)
        {
            Volatile.Write(ref _ring, _ring.Grow());
        }

        _ring[_ring.End] = segment;
        Volatile.Write(ref _ring.End, _ring.End + 1);
        var bytes = _keptBytes + segment.Size;
        while (bytes > _maxBytes && _ring.First < _ring.End)
        {
            bytes -= _ring[_ring.First]!.Size; // The writer clears slots, and only below First.
            _ring[_ring.First] = null;
            Volatile.Write(ref _ring.First, _ring.First + 1);
        }

        Volatile.Write(ref _keptBytes, bytes);
    }

    // First nothing is idle, then the head moves, then it may be idle at the new head: a reader never sees the old word with
    // the new rows.
    private void SetHead(long seq, bool idle)
    {
        Volatile.Write(ref _idleAt, -1);
        Volatile.Write(ref _head, seq);
        Volatile.Write(ref _idleAt, idle ? seq : -1);
    }

    private void Wake()
    {
        foreach (var viewer in _viewers)
        {
            viewer.Set();
        }
    }

    /// <summary>Slots for segments <c>First … End - 1</c>; a slot is written before <c>End</c> is, and cleared after its use.</summary>
    private sealed class Ring(int capacity)
    {
        private readonly TailSegment?[] _slots = new TailSegment?[capacity];
        public long First;
        public long End;

        public int Capacity => _slots.Length;

        public TailSegment? this[long index]
        {
            get => Volatile.Read(ref _slots[index & (_slots.Length - 1)]);
            set => Volatile.Write(ref _slots[index & (_slots.Length - 1)], value);
        }

        public Ring Grow()
        {
            var larger = new Ring(_slots.Length * 2) { First = First, End = End };
            for (var index = First; index < End; index++)
            {
                larger[index] = this[index];
            }

            return larger;
        }
    }
}
