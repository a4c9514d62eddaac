using Ash.Bridge.Frames;

namespace Ash.Bridge.Processes;

/// <summary>Makes lines of a stream of bytes, however it is cut. A last line without an end counts as one.</summary>
internal sealed class LineSplitter(SegmentPool pool, int maxLineBytes, ILineSink sink)
{
    private readonly ByteQueue _begun = new(pool);
    private long _refused; // Length so far of a line that is being thrown away; 0 where none is.

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        while (bytes.IndexOf((byte)'\n') is var end and >= 0)
        {
            Finish(bytes[..end]);
            bytes = bytes[(end + 1)..];
        }

        Begin(bytes);
    }

    /// <summary>The stream has ended.</summary>
    internal void End()
    {
        if (_refused > 0 || !_begun.IsEmpty)
        {
            Finish([]);
        }
    }

    private void Finish(ReadOnlySpan<byte> rest)
    {
        if (_refused == 0 && _begun.IsEmpty && rest.Length <= maxLineBytes)
        {
            sink.OnLine(rest);
            return;
        }

        Begin(rest);
        if (_refused > 0)
        {
            sink.OnRefused(_refused);
            _refused = 0;
        }
        else
        {
            sink.OnLine(_begun);
        }
    }

    private void Begin(ReadOnlySpan<byte> bytes)
    {
        if (_refused > 0)
        {
            _refused += bytes.Length;
        }
        else if (_begun.Length + bytes.Length > maxLineBytes)
        {
            _refused = _begun.Length + bytes.Length;
            _begun.Clear();
        }
        else
        {
            _begun.Write(bytes);
        }
    }
}
