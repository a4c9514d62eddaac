using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Processes;

/// <summary>One running shell command. It has ended when its shell has, whatever it leaves running in the background.</summary>
internal sealed class Execution
{
    private readonly Outbox outbox;
    private readonly string id;
    private readonly int process;
    private readonly LoopTimer timer;
    private readonly Action onEnded;
    private readonly Output[] outputs;
    private readonly PipeReader[] readers;
    private ExitStatus? exit;
    private bool timedOut;
    private bool isReported;

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
        this.outbox = outbox;
        this.id = id;
        this.process = process;
        this.onEnded = onEnded;
        outputs = [new(this, "stdout"), new(this, "stderr")];
        readers = [new(loop, pipes.Output, scratch, outputs[0]), new(loop, pipes.Error, scratch, outputs[1])];
        timer = loop.After(timeout, () =>
        {
            timedOut = true;
            Kill();
        });
    }

    /// <summary>Kills its process group; harmless once the shell has ended.</summary>
    internal void Kill()
    {
        if (exit is null)
        {
            Libc.Kill(-process, Libc.KillSignal);
        }
    }

    internal void OnExited(ExitStatus status)
    {
        exit = status;
        timer.Cancel();
        foreach (var reader in readers)
        {
            reader.EndAfterWhatIsThere();
        }

        ReportIfEnded();
    }

    private void ReportIfEnded()
    {
        if (!isReported && exit is { } status && outputs.All(output => output.HasEnded))
        {
            isReported = true;
            outbox.Add(new ExecExited(id, status.Code, status.Signal, timedOut, outputs.Any(output => output.IsTruncated)));
            onEnded();
        }
    }

    private sealed class Output(Execution execution, string stream) : IPipeSink
    {
        private int room = BridgeProtocol.MaxExecOutputBytes;

        internal bool HasEnded { get; private set; }

        internal bool IsTruncated { get; private set; }

        public bool HasRoom => room == 0 || !execution.outbox.IsFull;

        public void OnBytes(ReadOnlySpan<byte> bytes)
        {
            var taken = Math.Min(room, bytes.Length);
            room -= taken;
            IsTruncated |= taken < bytes.Length;
            if (taken > 0)
            {
                execution.outbox.Add(new ExecOutput(execution.id, stream, taken), bytes[..taken]);
            }
        }

        public void OnEnd()
        {
            HasEnded = true;
            execution.ReportIfEnded();
        }
    }
}
