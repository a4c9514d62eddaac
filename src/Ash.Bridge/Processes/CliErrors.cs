using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Processes;

/// <summary>The standard error of one start of the CLI: lines, cut and limited.</summary>
internal sealed class CliErrors : IPipeSink
{
    private const int MaxLinesPerSecond = 200;

    private readonly Outbox _outbox;
    private readonly Action _onEnd;
    private readonly ErrorLines _lines;

    internal CliErrors(Outbox outbox, int process, Action onEnd)
    {
        (_outbox, _onEnd) = (outbox, onEnd);
        _lines = new(
            BridgeProtocol.MaxErrorLineBytes,
            MaxLinesPerSecond,
            () => EventLoop.NowMs,
            line => outbox.Add(new CliErrorLine(process, line.Length), line.Span));
    }

    internal bool HasEnded { get; private set; }

    public bool HasRoom => !_outbox.IsFull;

    public void OnBytes(ReadOnlySpan<byte> bytes) => _lines.Add(bytes);

    public void OnEnd()
    {
        _lines.End();
        HasEnded = true;
        _onEnd();
    }
}
