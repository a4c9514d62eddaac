using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Processes;

/// <summary>The CLI of this sandbox: at most one at a time. Its end is the end of everything else inside.</summary>
internal sealed class Cli(EventLoop loop, Children children, SegmentPool pool, Outbox outbox, Memory<byte> scratch)
{
    private CliInput? input;
    private CliOutput? output;
    private CliErrors? errors;
    private ExitStatus? exit;
    private int starts;
    private bool othersAreGone;

    /// <summary>Which start is running, its end not yet reported; 0 where none is.</summary>
    internal int Process => Pid == 0 ? 0 : starts;

    internal int Pid { get; private set; }

    /// <summary>From the moment a start is asked for until its end is reported.</summary>
    private bool IsBusy => input is not null;

    /// <summary><paramref name="onDone"/> gets null once it runs, else why it does not.</summary>
    internal void Start(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, Action<string?> onDone)
    {
        if (IsBusy)
        {
            onDone("running");
            return;
        }

        if (!TryOpenPipes(out var stdin, out var stdout, out var stderr))
        {
            onDone(Errno.Text(Errno.Last));
            return;
        }

        exit = null;
        othersAreGone = false;
        input = new(loop, pool, stdin.Ours, BridgeProtocol.MaxLineBytes);

        children.Start(
            new(arguments, environment, stdin.Theirs, stdout.Theirs, stderr.Theirs),
            onStarted: pid =>
            {
                Pid = pid;
                starts++;
                output = new(pool, outbox, starts, ReportIfEnded);
                errors = new(outbox, starts, ReportIfEnded);
                _ = new PipeReader(loop, stdout.Ours, scratch, output);
                _ = new PipeReader(loop, stderr.Ours, scratch, errors);
                outbox.Add(new CliStarted(starts, pid));
                onDone(null);
            },
            onFailed: error =>
            {
                Descriptor.Close(ref stdout.Ours);
                Descriptor.Close(ref stderr.Ours);
                Forget(Errno.Text(error));
                onDone(Errno.Text(error));
            },
            onExited: status =>
            {
                exit = status;
                input?.Abandon("The CLI has ended.");
                children.KillAll(() =>
                {
                    othersAreGone = true;
                    ReportIfEnded();
                });
            });
    }

    /// <summary>In order of arrival; <paramref name="onDone"/> gets null once the CLI's pipe has all of it, else why not.</summary>
    internal void WriteLine(ByteQueue source, int length, Action<string?> onDone)
    {
        if (input is null)
        {
            source.Skip(length);
            onDone("not running");
            return;
        }

        input.WriteLine(source, length, onDone);
    }

    internal void CloseInput(Action<string?> onDone)
    {
        if (input is null)
        {
            onDone("not running");
            return;
        }

        input.CloseAfterLines(onDone);
    }

    private static bool TryOpenPipes(out Pipes stdin, out Pipes stdout, out Pipes stderr)
    {
        stdout = stderr = default;
        if (!Pipes.TryOpenInput(out stdin))
        {
            return false;
        }

        if (!Pipes.TryOpenOutput(out stdout))
        {
            stdin.Close();
            return false;
        }

        if (!Pipes.TryOpenOutput(out stderr))
        {
            stdin.Close();
            stdout.Close();
            return false;
        }

        return true;
    }

    /// <summary>Once nothing is left that could write, the pipes end after what is in them: every line comes before the end.</summary>
    private void ReportIfEnded()
    {
        if (othersAreGone && exit is { } status && output is { HasEnded: true } && errors is { HasEnded: true })
        {
            outbox.Add(new CliExited(starts, status.Code, status.Signal));
            Forget("The CLI has ended.");
        }
    }

    private void Forget(string reason)
    {
        input?.Abandon(reason);
        (input, output, errors, exit, Pid) = (null, null, null, null, 0);
    }
}
