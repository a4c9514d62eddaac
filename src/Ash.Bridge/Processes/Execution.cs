using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Processes;

/// <summary>One running shell command. It has ended when its shell has, whatever it leaves running in the background.</summary>
internal sealed class Execution
{
    private readonly Outbox _outbox;
    private readonly string _id;
    private readonly int _process;
    private readonly LoopTimer _timer;
    private readonly Action _onEnded;
    private readonly Output[] _outputs;
    private readonly PipeReader[] _readers;
    private ExitStatus? _exit;
    private bool _timedOut;
    private bool _isReported;

    internal Execution(
        EventLoop loop,
        Outbox outbox,
        Memory<byte> scratch,
        string id,
        int process,
        (int Output, int Error) pipes,
        TimeSpan timeout,
        Action onEnded)
    {
        _outbox = outbox;
        _id = id;
        _process = process;
        _onEnded = onEnded;
        _outputs = [new(this, "stdout"), new(this, "stderr")];
        _readers = [new(loop, pipes.Output, scratch, _outputs[0]), new(loop, pipes.Error, scratch, _outputs[1])];
        _timer = loop.After(timeout, () =>
        {
            _timedOut = true;
            Kill();
        });
    }

    /// <summary>Kills its process group; harmless once the shell has ended.</summary>
    internal void Kill()
    {
        if (_exit is null)
        {
            Libc.Kill(-_process, Libc.KillSignal);
        }
    }

    internal void OnExited(ExitStatus status)
    {
        _exit = status;
        _timer.Cancel();
        foreach (var reader in _readers)
        {
            reader.EndAfterWhatIsThere();
        }

        ReportIfEnded();
    }

    private void ReportIfEnded()
    {
        if (!_isReported && _exit is { } status && _outputs.All(output => output.HasEnded))
        {
            _isReported = true;
            _outbox.Add(new ExecExited(_id, status.Code, status.Signal, _timedOut, _outputs.Any(output => output.IsTruncated)));
            _onEnded();
        }
    }

    private sealed class Output(Execution execution, string stream) : IPipeSink
    {
        private int _room = BridgeProtocol.MaxExecOutputBytes;

        internal bool HasEnded { get; private set; }

        internal bool IsTruncated { get; private set; }

        public bool HasRoom => _room == 0 || !execution._outbox.IsFull;

        public void OnBytes(ReadOnlySpan<byte> bytes)
        {
            var taken = Math.Min(_room, bytes.Length);
            _room -= taken;
            IsTruncated |= taken < bytes.Length;
            if (taken > 0)
            {
                execution._outbox.Add(new ExecOutput(execution._id, stream, taken), bytes[..taken]);
            }
        }

        public void OnEnd()
        {
            HasEnded = true;
            execution.ReportIfEnded();
        }
    }
}
