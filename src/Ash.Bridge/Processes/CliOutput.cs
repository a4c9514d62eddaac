using Ash.Bridge.Frames;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Processes;

/// <summary>The standard output of one start of the CLI: each line becomes a frame.</summary>
internal sealed class CliOutput : IPipeSink, ILineSink
{
    private readonly Outbox _outbox;
    private readonly int _process;
    private readonly Action _onEnd;
    private readonly LineSplitter _lines;

    internal CliOutput(SegmentPool pool, Outbox outbox, int process, Action onEnd)
    {
        (_outbox, _process, _onEnd) = (outbox, process, onEnd);
        _lines = new(pool, BridgeProtocol.MaxLineBytes, this);
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

    public void OnLine(ReadOnlySpan<byte> line) => _outbox.AddLine(_process, line);

    public void OnLine(ByteQueue line) => _outbox.AddLine(_process, line);

    public void OnRefused(long length) => _outbox.Add(new CliLineRefused(_process, length));
}
