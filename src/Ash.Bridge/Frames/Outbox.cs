using System.Buffers;
using System.Globalization;
using System.Text.Unicode;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Frames;

/// <summary>Every frame since the last acknowledged one, encoded and numbered, and how much of that was sent on this connection.</summary>
internal sealed class Outbox(SegmentPool pool)
{
    /// <summary>What a frame costs besides its bytes; counted, so that a flood of empty lines is bounded too.</summary>
    private const int FrameOverhead = 16;

    private const int LargeBacklog = 1024;
    private const int MaxLineHeaderBytes = 128;

    private readonly ByteQueue _bytes = new(pool);
    private readonly Queue<int> _lengths = new(); // Of each kept frame, header and payload.
    private readonly ArrayBufferWriter<byte> _header = new();

    private long _added; // Bytes ever, as is the next.
    private long _sent;
    private long _acknowledged;
    private Segment? _cursor;
    private int _cursorOffset;

    /// <summary>Number of the newest frame, 0 where there is none.</summary>
    internal long Head { get; private set; }

    /// <summary>Number of the oldest frame kept, <see cref="Head"/> + 1 where none is.</summary>
    internal long Oldest => Head + 1 - _lengths.Count;

    /// <summary>Whoever can wait must wait until the server has acknowledged something.</summary>
    internal bool IsFull => _bytes.Length + ((long)_lengths.Count * FrameOverhead) >= BridgeProtocol.MaxUnacknowledgedBytes;

    /// <summary>The next bytes for this connection, as many as lie together; empty where all were sent.</summary>
    internal ReadOnlySpan<byte> Unsent
    {
        get
        {
            if (_sent == _added)
            {
                return [];
            }

            if (_cursor is null)
            {
                _cursor = _bytes.Head;
                _cursorOffset = _cursor?.Start ?? 0;
            }

            while (_cursor is { Next: { } next } && _cursorOffset == _cursor.End)
            {
                _cursor = next;
                _cursorOffset = next.Start;
            }

            return _cursor is null ? [] : _cursor.Filled[(_cursorOffset - _cursor.Start)..];
        }
    }

    /// <summary>Gives the frame its number and keeps it.</summary>
    internal void Add(BridgeEvent frame, ReadOnlySpan<byte> payload = default)
    {
        Head++;
        _header.ResetWrittenCount();
        FrameFormat.WriteHeader(_header, frame with { Number = Head });
        _bytes.Write(_header.WrittenSpan);
        _bytes.Write(payload);
        Keep(_header.WrittenCount + payload.Length);
    }

    /// <summary>A <see cref="CliLine"/>.</summary>
    internal void AddLine(int process, ReadOnlySpan<byte> line)
    {
        var headerLength = WriteLineHeader(process, line.Length);
        _bytes.Write(line);
        Keep(headerLength + line.Length);
    }

    /// <summary>A <see cref="CliLine"/> that is taken out of a queue, all of it.</summary>
    internal void AddLine(int process, ByteQueue line)
    {
        var length = (int)line.Length;
        var headerLength = WriteLineHeader(process, length);
        line.MoveTo(_bytes, length);
        Keep(headerLength + length);
    }

    internal void Sent(int count)
    {
        _sent += count;
        _cursorOffset += count;
        Forget();
    }

    /// <summary>Forgets every frame up to <paramref name="number"/>, each once it was sent; false where there is no such frame.</summary>
    /// <remarks>
    /// A server may have stored frames of the last connection after it welcomed this one; it still counts on seeing
    /// every number after that of its welcome.
    /// </remarks>
    internal bool TryAcknowledge(long number)
    {
        if (number > Head)
        {
            return false;
        }

        _acknowledged = Math.Max(_acknowledged, number);
        Forget();
        return true;
    }

    /// <summary>Begins a new connection: forgets what the server has stored before, and everything else is unsent again.</summary>
    internal void Resume(long stored)
    {
        _sent = _added;
        TryAcknowledge(Math.Min(stored, Head));
        _sent = _added - _bytes.Length;
        _cursor = null;
    }

    private void Forget()
    {
        var start = _added - _bytes.Length;
        var end = start;
        while (Oldest <= _acknowledged && end + _lengths.Peek() <= _sent)
        {
            end += _lengths.Dequeue();
        }

        _bytes.Skip(end - start);
        if (_sent == end)
        {
            _cursor = null; // It would point at what is no longer there; it is found again at the front.
        }

        if (_lengths.Count == 0 && _lengths.Capacity > LargeBacklog)
        {
            _lengths.TrimExcess();
        }
    }

    /// <summary>Nearly all frames are lines. Written like this they leave no garbage, and the heap stays as small as it began.</summary>
    private int WriteLineHeader(int process, int length)
    {
        Head++;
        Span<byte> text = stackalloc byte[MaxLineHeaderBytes];
        Utf8.TryWrite(
            text,
            CultureInfo.InvariantCulture,
            $"{{\"type\":\"line\",\"process\":{process},\"bytes\":{length},\"n\":{Head}}}\n",
            out var written);
        _bytes.Write(text[..written]);
        return written;
    }

    private void Keep(int length)
    {
        _added += length;
        _lengths.Enqueue(length);
    }
}
