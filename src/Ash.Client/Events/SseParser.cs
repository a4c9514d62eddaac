using System.Buffers;
using System.Text;

namespace Ash.Client.Events;

/// <summary>Reads server-sent events from bytes that come in pieces of any size.</summary>
/// <remarks>
/// Bytes are read straight into the parser's buffer (<see cref="GetMemory"/>, <see cref="Advance"/>), looked at once, and
/// copied once: into the event that they become. An event that the stream's end cuts off is never given out.
/// </remarks>
/// <seealso href="https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation"/>
internal sealed class SseParser(int maxEventBytes = SseParser.DefaultMaxEventBytes)
{
    public const int DefaultMaxEventBytes = 256 * 1024 * 1024;

    private const int MinReadBytes = 4 * 1024;
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    private readonly List<Range> _dataLines = [];
    private byte[] _buffer = new byte[16 * 1024];

    // [start, line) holds the lines of the event that is being read, [line, scanned) has no line end, [scanned, end) is new.
    private int _start;
    private int _line;
    private int _scanned;
    private int _end;

    private Range? _name;
    private Range? _ownId;
    private bool _skipLineFeed;
    private bool _atStreamStart = true;

    /// <summary>The id that is in effect: an event without one of its own keeps the last.</summary>
    public string? LastEventId { get; private set; }

    /// <summary>Room for the next bytes of the stream.</summary>
    public Memory<byte> GetMemory()
    {
        if (_buffer.Length - _end < MinReadBytes)
        {
            MakeRoom();
        }

        return _buffer.AsMemory(_end);
    }

    /// <summary>Says how many bytes were put into what <see cref="GetMemory"/> gave.</summary>
    public void Advance(int count) => _end += count;

    /// <summary>Takes the next whole event; false where more bytes are needed.</summary>
    /// <param name="read">The event.</param>
    /// <param name="hasOwnId">Whether the event named its id itself.</param>
    /// <exception cref="InvalidDataException">An event is longer than allowed.</exception>
    public bool TryRead(out AshEvent read, out bool hasOwnId)
    {
        while (TakeLine(out var text))
        {
            if (IsComment(text))
            {
                continue;
            }

            if (text.Start.Value < text.End.Value)
            {
                TakeField(text);
                continue;
            }

            hasOwnId = _ownId is not null;
            var complete = TakeEvent(out read);
            Forget();

            if (complete)
            {
                return true;
            }
        }

        read = null!; // The caller looks at it only after true.
        hasOwnId = false;
        return false;
    }

    private bool TakeLine(out Range text)
    {
        text = default;

        if (_atStreamStart && !PassByteOrderMark())
        {
            return false;
        }

        if (_skipLineFeed && _scanned < _end)
        {
            _skipLineFeed = false;

            if (_buffer[_scanned] == '\n')
            {
                _line = ++_scanned;
            }
        }

        var found = _buffer.AsSpan(_scanned, _end - _scanned).IndexOfAny(LineEnds);

        if (found < 0)
        {
            _scanned = _end;
            return false;
        }

        var at = _scanned + found;
        _skipLineFeed = _buffer[at] == '\r';
        text = _line..at;
        _line = _scanned = at + 1;

        return true;
    }

    private bool IsComment(Range text)
    {
        if (_buffer[text.Start] != ':')
        {
            return false;
        }

        if (_dataLines.Count == 0 && _name is null && _ownId is null)
        {
            // Between events, as a keep-alive is: nothing before it has to be kept.
            _start = _line;
        }

        return true;
    }

    /// <summary>False where it cannot be told yet.</summary>
    private bool PassByteOrderMark()
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        var seen = _buffer.AsSpan(0, Math.Min(_end, mark.Length));

        if (!mark.StartsWith(seen))
        {
            _atStreamStart = false;
            return true;
        }

        if (seen.Length < mark.Length)
        {
            return false;
        }

        _start = _line = _scanned = mark.Length;
        _atStreamStart = false;
        return true;
    }

    private void TakeField(Range text)
    {
        var content = _buffer.AsSpan(text);
        var colon = content.IndexOf((byte)':');
        var field = colon < 0 ? content : content[..colon];
        var valueStart = colon < 0 ? text.End.Value : text.Start.Value + colon + 1;

        if (valueStart < text.End.Value && _buffer[valueStart] == ' ')
        {
            valueStart++;
        }

        // Kept as distances from the event's start, which moves when the buffer is tidied.
        var value = (valueStart - _start)..(text.End.Value - _start);

        if (field.SequenceEqual("data"u8))
        {
            _dataLines.Add(value);
        }
        else if (field.SequenceEqual("event"u8))
        {
            _name = value;
        }
        else if (field.SequenceEqual("id"u8) && !Bytes(value).Contains((byte)0))
        {
            _ownId = value;
        }
    }

    private bool TakeEvent(out AshEvent read)
    {
        if (_ownId is { } id)
        {
            var text = Encoding.UTF8.GetString(Bytes(id));
            LastEventId = text.Length == 0 ? null : text;
        }

        if (_dataLines.Count == 0)
        {
            read = null!; // The caller looks at it only after true.
            return false;
        }

        read = new AshEvent(_name is { } given ? EventNames.Read(Bytes(given)) : EventNames.Message, JoinData(), LastEventId);
        return true;
    }

    private byte[] JoinData()
    {
        if (_dataLines is [var only])
        {
            return Bytes(only).ToArray();
        }

        var length = _dataLines.Count - 1;

        foreach (var part in _dataLines)
        {
            length += part.End.Value - part.Start.Value;
        }

        var joined = new byte[length];
        var rest = joined.AsSpan();

        for (var i = 0; i < _dataLines.Count; i++)
        {
            if (i > 0)
            {
                rest[0] = (byte)'\n';
                rest = rest[1..];
            }

            var part = Bytes(_dataLines[i]);
            part.CopyTo(rest);
            rest = rest[part.Length..];
        }

        return joined;
    }

    private Span<byte> Bytes(Range fromStart) => _buffer.AsSpan(_start)[fromStart];

    private void Forget()
    {
        _dataLines.Clear();
        _name = _ownId = null;
        _start = _line;
    }

    private void MakeRoom()
    {
        var kept = _end - _start;

        if (kept > maxEventBytes)
        {
            throw new InvalidDataException($"An event is longer than {maxEventBytes} bytes.");
        }

        var target = _buffer.Length - kept >= Math.Max(MinReadBytes, _buffer.Length / 2) ? _buffer : new byte[_buffer.Length * 2];
        _buffer.AsSpan(_start, kept).CopyTo(target);
        _buffer = target;
        _line -= _start;
        _scanned -= _start;
        _end = kept;
        _start = 0;
    }
}
