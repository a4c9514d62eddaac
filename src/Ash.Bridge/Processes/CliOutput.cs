using Ash.Bridge.Frames;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Processes;

/// <summary>The standard output of one start of the CLI: each line becomes a frame.</summary>
internal sealed class CliOutput : IPipeSink, ILineSink
{
    private readonly Outbox outbox;
    private readonly int process;
    private readonly Action onEnd;
    private readonly LineSplitter lines;

    internal CliOutput(SegmentPool pool, Outbox outbox, int process, Action onEnd)
    {
        (this.outbox, this.process, this.onEnd) = (outbox, process, onEnd);
        lines = new(pool, BridgeProtocol.MaxLineBytes, this);
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

    public void OnLine(ReadOnlySpan<byte> line) => outbox.AddLine(process, line);

    public void OnLine(ByteQueue line) => outbox.AddLine(process, line);

    public void OnRefused(long length) => outbox.Add(new CliLineRefused(process, length));
}
