namespace Ash.Bridge.Frames;

/// <summary>Bytes in the order of their arrival. Holds no memory while it is empty but its last segment.</summary>
/// <remarks>Must be cleared before it is dropped: its memory is outside the collected heap.</remarks>
internal sealed class ByteQueue(SegmentPool pool)
{
    private Segment? _head;
    private Segment? _tail;

    internal long Length { get; private set; }

    internal bool IsEmpty => Length == 0;

    /// <summary>The oldest bytes, as many as lie together; empty only where the queue is.</summary>
    internal ReadOnlySpan<byte> Front
    {
        get
        {
            while (_head is { Next: { } next } && _head.Start == _head.End)
            {
                pool.Return(_head);
                _head = next;
            }

            return _head is null ? [] : _head.Filled;
        }
    }

    /// <summary>Room to fill, never empty; <see cref="Advance"/> says how much was.</summary>
    internal Span<byte> Room
    {
        get
        {
            if (_tail is null)
            {
                _head = _tail = pool.Rent();
            }
            else if (IsEmpty && _head == _tail)
            {
                _tail.Start = _tail.End = 0;
            }
            else if (_tail.End == Segment.Size)
            {
                _tail = _tail.Next = pool.Rent();
            }

            return _tail.Free;
        }
    }

    /// <summary>The oldest segment, for those who look at bytes without taking them.</summary>
    internal Segment? Head => _head;

    internal void Advance(int count)
    {
        _tail?.End += count;
        Length += count;
    }

    internal void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var room = Room;
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Advance(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>Takes the oldest <paramref name="count"/> bytes away.</summary>
    internal void Skip(long count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Length);

        while (count > 0 && !Front.IsEmpty && _head is not null)
        {
            var part = (int)Math.Min(count, _head.End - _head.Start);
            _head.Start += part;
            Length -= part;
            count -= part;
        }
    }

    /// <summary>Moves the oldest <paramref name="count"/> bytes to the end of another queue, needing little memory of its own.</summary>
    internal void MoveTo(ByteQueue target, long count)
    {
        while (count > 0)
        {
            var part = Front[..(int)Math.Min(count, Front.Length)];
            target.Write(part);
            Skip(part.Length);
            count -= part.Length;
        }
    }

    /// <summary>Forgets everything and gives the memory back.</summary>
    internal void Clear()
    {
        while (_head is { } segment)
        {
            _head = segment.Next;
            pool.Return(segment);
        }

        _tail = null;
        Length = 0;
    }
}
