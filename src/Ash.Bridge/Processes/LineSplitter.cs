using Ash.Bridge.Frames;

namespace Ash.Bridge.Processes;

/// <summary>Makes lines of a stream of bytes, however it is cut. A last line without an end counts as one.</summary>
internal sealed class LineSplitter(SegmentPool pool, int maxLineBytes, ILineSink sink)
{
    private readonly ByteQueue begun = new(pool);
    private long refused; // Length so far of a line that is being thrown away; 0 where none is.

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
        if (refused > 0 || !begun.IsEmpty)
        {
            Finish([]);
        }
    }

    private void Finish(ReadOnlySpan<byte> rest)
    {
        if (refused == 0 && begun.IsEmpty && rest.Length <= maxLineBytes)
        {
            sink.OnLine(rest);
            return;
        }

        Begin(rest);
        if (refused > 0)
        {
            sink.OnRefused(refused);
            refused = 0;
        }
        else
        {
            sink.OnLine(begun);
        }
    }

    private void Begin(ReadOnlySpan<byte> bytes)
    {
        if (refused > 0)
        {
            refused += bytes.Length;
        }
        else if (begun.Length + bytes.Length > maxLineBytes)
        {
            refused = begun.Length + bytes.Length;
            begun.Clear();
        }
        else
        {
            begun.Write(bytes);
        }
    }
}
