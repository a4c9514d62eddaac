namespace Ash.Bridge.Processes;

/// <summary>Makes lines of standard error: each is cut at a length, and only so many are passed on in a second.</summary>
internal sealed class ErrorLines(int maxLineBytes, int maxLinesPerSecond, Func<long> clockMs, Action<ReadOnlyMemory<byte>> take)
{
    private byte[] _line = [];
    private int _length;
    private bool _begun;
    private long _second = long.MinValue;
    private int _linesInSecond;
    private long _leftOut;

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
        if (_begun)
        {
            Finish();
        }

        SayWhatWasLeftOut();
        _line = [];
    }

    private void Begin(ReadOnlySpan<byte> bytes)
    {
        _begun = true;
        var part = bytes[..Math.Min(bytes.Length, maxLineBytes - _length)];
        if (_line.Length < _length + part.Length)
        {
            Array.Resize(ref _line, Math.Min(maxLineBytes, Math.Max(2 * _line.Length, _length + part.Length)));
        }

        part.CopyTo(_line.AsSpan(_length));
        _length += part.Length;
    }

    private void Finish()
    {
        if (clockMs() / 1000 is var now && now != _second)
        {
            SayWhatWasLeftOut();
            _second = now;
            _linesInSecond = 0;
        }

        if (_linesInSecond < maxLinesPerSecond)
        {
            _linesInSecond++;
            take(_line.AsMemory(0, _length));
        }
        else
        {
            _leftOut++;
        }

        _length = 0;
        _begun = false;
    }

    private void SayWhatWasLeftOut()
    {
        if (_leftOut > 0)
        {
            take(System.Text.Encoding.ASCII.GetBytes($"[ash-bridge: {_leftOut} lines of standard error were left out]"));
            _leftOut = 0;
        }
    }
}
