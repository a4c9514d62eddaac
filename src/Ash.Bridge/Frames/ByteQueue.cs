namespace Ash.Bridge.Frames;

/// <summary>Bytes in the order of their arrival. Holds no memory while it is empty but its last segment.</summary>
/// <remarks>Must be cleared before it is dropped: its memory is outside the collected heap.</remarks>
internal sealed class ByteQueue(SegmentPool pool)
{
    private Segment? head;
    private Segment? tail;

    internal long Length { get; private set; }

    internal bool IsEmpty => Length == 0;

    /// <summary>The oldest bytes, as many as lie together; empty only where the queue is.</summary>
    internal ReadOnlySpan<byte> Front
    {
        get
        {
            while (head is { Next: { } next } && head.Start == head.End)
            {
                pool.Return(head);
                head = next;
            }

            return head is null ? [] : head.Filled;
        }
    }

    /// <summary>Room to fill, never empty; <see cref="Advance"/> says how much was.</summary>
    internal Span<byte> Room
    {
        get
        {
            if (tail is null)
            {
                head = tail = pool.Rent();
            }
            else if (IsEmpty && head == tail)
            {
                tail.Start = tail.End = 0;
            }
            else if (tail.End == Segment.Size)
            {
                tail = tail.Next = pool.Rent();
            }

            return tail.Free;
        }
    }

    /// <summary>The oldest segment, for those who look at bytes without taking them.</summary>
    internal Segment? Head => head;

    internal void Advance(int count)
    {
        tail?.End += count;
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

        while (count > 0 && !Front.IsEmpty && head is not null)
        {
            var part = (int)Math.Min(count, head.End - head.Start);
            head.Start += part;
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
        while (head is { } segment)
        {
            head = segment.Next;
            pool.Return(segment);
        }

        tail = null;
        Length = 0;
    }
}
