namespace Ash.Bridge.Processes;

/// <summary>Makes lines of standard error: each is cut at a length, and only so many are passed on in a second.</summary>
internal sealed class ErrorLines(int maxLineBytes, int maxLinesPerSecond, Func<long> clockMs, Action<ReadOnlyMemory<byte>> take)
{
    private byte[] line = [];
    private int length;
    private bool begun;
    private long second = long.MinValue;
    private int linesInSecond;
    private long leftOut;

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        while (bytes.IndexOf((byte)'\n') is var end and >= 0)
        {
            Begin(bytes[..end]);
            Finish();
            bytes = bytes[(end + 1)..];
        }

        if (!bytes.IsEmpty)
        {
            Begin(bytes);
        }
    }

    /// <summary>The stream has ended.</summary>
    internal void End()
    {
        if (begun)
        {
            Finish();
        }

        SayWhatWasLeftOut();
        line = [];
    }

    private void Begin(ReadOnlySpan<byte> bytes)
    {
        begun = true;
        var part = bytes[..Math.Min(bytes.Length, maxLineBytes - length)];
        if (line.Length < length + part.Length)
        {
            Array.Resize(ref line, Math.Min(maxLineBytes, Math.Max(2 * line.Length, length + part.Length)));
        }

        part.CopyTo(line.AsSpan(length));
        length += part.Length;
    }

    private void Finish()
    {
        if (clockMs() / 1000 is var now && now != second)
        {
            SayWhatWasLeftOut();
            second = now;
            linesInSecond = 0;
        }

        if (linesInSecond < maxLinesPerSecond)
        {
            linesInSecond++;
            take(line.AsMemory(0, length));
        }
        else
        {
            leftOut++;
        }

        length = 0;
        begun = false;
    }

    private void SayWhatWasLeftOut()
    {
        if (leftOut > 0)
        {
            take(System.Text.Encoding.ASCII.GetBytes($"[ash-bridge: {leftOut} lines of standard error were left out]"));
            leftOut = 0;
        }
    }
}
