using System.Buffers;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Frames;

/// <summary>Every frame since the last acknowledged one, encoded and numbered, and how much of that was sent on this connection.</summary>
internal sealed class Outbox(SegmentPool pool)
{
    /// <summary>What a frame costs besides its bytes; counted, so that a flood of empty lines is bounded too.</summary>
    private const int FrameOverhead = 16;

    private const int LargeBacklog = 1024;

    private readonly ByteQueue bytes = new(pool);
    private readonly Queue<long> ends = new(); // Of each kept frame, counted from the first byte ever.
    private readonly ArrayBufferWriter<byte> header = new();

    private long added;
    private long sent;
    private Segment? cursor;
    private int cursorOffset;

    /// <summary>Number of the newest frame, 0 where there is none.</summary>
    internal long Head { get; private set; }

    /// <summary>Number of the oldest frame kept, <see cref="Head"/> + 1 where none is.</summary>
    internal long Oldest => Head + 1 - ends.Count;

    /// <summary>Whoever can wait must wait until the server has acknowledged something.</summary>
    internal bool IsFull => bytes.Length + ((long)ends.Count * FrameOverhead) >= BridgeProtocol.MaxUnacknowledgedBytes;

    /// <summary>The next bytes for this connection, as many as lie together; empty where all were sent.</summary>
    internal ReadOnlySpan<byte> Unsent
    {
        get
        {
            if (sent == added)
            {
                return [];
            }

            if (cursor is null)
            {
                cursor = bytes.Head;
                cursorOffset = cursor?.Start ?? 0;
            }

            while (cursor is { Next: { } next } && cursorOffset == cursor.End)
            {
                cursor = next;
                cursorOffset = next.Start;
            }

            return cursor is null ? [] : cursor.Filled[(cursorOffset - cursor.Start)..];
        }
    }

    /// <summary>Gives the frame its number and keeps it.</summary>
    internal void Add(BridgeEvent frame, ReadOnlySpan<byte> payload = default)
    {
        WriteHeader(frame);
        bytes.Write(payload);
        Close(payload.Length);
    }

    /// <summary>The same with a payload that is taken out of a queue, all of it.</summary>
    internal void Add(BridgeEvent frame, ByteQueue payload)
    {
        var length = payload.Length;
        WriteHeader(frame);
        payload.MoveTo(bytes, length);
        Close(length);
    }

    internal void Sent(int count)
    {
        sent += count;
        cursorOffset += count;
    }

    /// <summary>Forgets every frame up to <paramref name="number"/>; false where that was never sent on this connection.</summary>
    internal bool TryAcknowledge(long number)
    {
        var start = added - bytes.Length;
        var end = start;
        while (Oldest <= Math.Min(number, Head) && ends.Peek() <= sent)
        {
            end = ends.Dequeue();
        }

        bytes.Skip(end - start);
        if (sent == end)
        {
            cursor = null; // It would point at what is no longer there; it is found again at the front.
        }

        if (ends.Count == 0 && ends.Capacity > LargeBacklog)
        {
            ends.TrimExcess();
        }

        return Oldest > number;
    }

    /// <summary>Begins a new connection: forgets what the server has stored before, and everything else is unsent again.</summary>
    internal void Resume(long acknowledged)
    {
        sent = added;
        TryAcknowledge(Math.Min(acknowledged, Head));
        sent = added - bytes.Length;
        cursor = null;
    }

    private void WriteHeader(BridgeEvent frame)
    {
        Head++;
        header.ResetWrittenCount();
        FrameFormat.WriteHeader(header, frame with { Number = Head });
        bytes.Write(header.WrittenSpan);
    }

    private void Close(long payloadLength)
    {
        added += header.WrittenCount + payloadLength;
        ends.Enqueue(added);
    }
}
