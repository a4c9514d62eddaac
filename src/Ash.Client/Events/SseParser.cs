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

    private readonly List<Range> dataLines = [];
    private byte[] buffer = new byte[16 * 1024];

    // [start, line) holds the lines of the event that is being read, [line, scanned) has no line end, [scanned, end) is new.
    private int start;
    private int line;
    private int scanned;
    private int end;

    private Range? name;
    private Range? ownId;
    private bool skipLineFeed;
    private bool atStreamStart = true;

    /// <summary>The id that is in effect: an event without one of its own keeps the last.</summary>
    public string? LastEventId { get; private set; }

    /// <summary>Room for the next bytes of the stream.</summary>
    public Memory<byte> GetMemory()
    {
        if (buffer.Length - end < MinReadBytes)
        {
            MakeRoom();
        }

        return buffer.AsMemory(end);
    }

    /// <summary>Says how many bytes were put into what <see cref="GetMemory"/> gave.</summary>
    public void Advance(int count) => end += count;

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

            hasOwnId = ownId is not null;
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

        if (atStreamStart && !PassByteOrderMark())
        {
            return false;
        }

        if (skipLineFeed && scanned < end)
        {
            skipLineFeed = false;

            if (buffer[scanned] == '\n')
            {
                line = ++scanned;
            }
        }

        var found = buffer.AsSpan(scanned, end - scanned).IndexOfAny(LineEnds);

        if (found < 0)
        {
            scanned = end;
            return false;
        }

        var at = scanned + found;
        skipLineFeed = buffer[at] == '\r';
        text = line..at;
        line = scanned = at + 1;

        return true;
    }

    private bool IsComment(Range text)
    {
        if (buffer[text.Start] != ':')
        {
            return false;
        }

        if (dataLines.Count == 0 && name is null && ownId is null)
        {
            // Between events, as a keep-alive is: nothing before it has to be kept.
            start = line;
        }

        return true;
    }

    /// <summary>False where it cannot be told yet.</summary>
    private bool PassByteOrderMark()
    {
        ReadOnlySpan<byte> mark = [0xEF, 0xBB, 0xBF];
        var seen = buffer.AsSpan(0, Math.Min(end, mark.Length));

        if (!mark.StartsWith(seen))
        {
            atStreamStart = false;
            return true;
        }

        if (seen.Length < mark.Length)
        {
            return false;
        }

        start = line = scanned = mark.Length;
        atStreamStart = false;
        return true;
    }

    private void TakeField(Range text)
    {
        var content = buffer.AsSpan(text);
        var colon = content.IndexOf((byte)':');
        var field = colon < 0 ? content : content[..colon];
        var valueStart = colon < 0 ? text.End.Value : text.Start.Value + colon + 1;

        if (valueStart < text.End.Value && buffer[valueStart] == ' ')
        {
            valueStart++;
        }

        // Kept as distances from the event's start, which moves when the buffer is tidied.
        var value = (valueStart - start)..(text.End.Value - start);

        if (field.SequenceEqual("data"u8))
        {
            dataLines.Add(value);
        }
        else if (field.SequenceEqual("event"u8))
        {
            name = value;
        }
        else if (field.SequenceEqual("id"u8) && !Bytes(value).Contains((byte)0))
        {
            ownId = value;
        }
    }

    private bool TakeEvent(out AshEvent read)
    {
        if (ownId is { } id)
        {
            var text = Encoding.UTF8.GetString(Bytes(id));
            LastEventId = text.Length == 0 ? null : text;
        }

        if (dataLines.Count == 0)
        {
            read = null!; // The caller looks at it only after true.
            return false;
        }

        read = new AshEvent(name is { } given ? EventNames.Read(Bytes(given)) : EventNames.Message, JoinData(), LastEventId);
        return true;
    }

    private byte[] JoinData()
    {
        if (dataLines is [var only])
        {
            return Bytes(only).ToArray();
        }

        var length = dataLines.Count - 1;

        foreach (var part in dataLines)
        {
            length += part.End.Value - part.Start.Value;
        }

        var joined = new byte[length];
        var rest = joined.AsSpan();

        for (var i = 0; i < dataLines.Count; i++)
        {
            if (i > 0)
            {
                rest[0] = (byte)'\n';
                rest = rest[1..];
            }

            var part = Bytes(dataLines[i]);
            part.CopyTo(rest);
            rest = rest[part.Length..];
        }

        return joined;
    }

    private Span<byte> Bytes(Range fromStart) => buffer.AsSpan(start)[fromStart];

    private void Forget()
    {
        dataLines.Clear();
        name = ownId = null;
        start = line;
    }

    private void MakeRoom()
    {
        var kept = end - start;

        if (kept > maxEventBytes)
        {
            throw new InvalidDataException($"An event is longer than {maxEventBytes} bytes.");
        }

        var target = buffer.Length - kept >= Math.Max(MinReadBytes, buffer.Length / 2) ? buffer : new byte[buffer.Length * 2];
        buffer.AsSpan(start, kept).CopyTo(target);
        buffer = target;
        line -= start;
        scanned -= start;
        end = kept;
        start = 0;
    }
}
