using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Processes;

/// <summary>The standard error of one start of the CLI: lines, cut and limited.</summary>
internal sealed class CliErrors : IPipeSink
{
    private const int MaxLinesPerSecond = 200;

    private readonly Outbox outbox;
    private readonly Action onEnd;
    private readonly ErrorLines lines;

    internal CliErrors(Outbox outbox, int process, Action onEnd)
    {
        (this.outbox, this.onEnd) = (outbox, onEnd);
        lines = new(
            BridgeProtocol.MaxErrorLineBytes,
            MaxLinesPerSecond,
            () => EventLoop.NowMs,
            line => outbox.Add(new CliErrorLine(process, line.Length), line.Span));
    }

    internal bool HasEnded { get; private set; }

    public bool HasRoom => !outbox.IsFull;

    public void OnBytes(ReadOnlySpan<byte> bytes) => lines.Add(bytes);

    public void OnEnd()
    {
        lines.End();
        HasEnded = true;
        onEnd();
    }
}
