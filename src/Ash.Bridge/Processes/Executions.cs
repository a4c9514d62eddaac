using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Processes;

/// <summary>The shell commands that run beside the CLI.</summary>
internal sealed class Executions(EventLoop loop, Children children, Outbox outbox, Memory<byte> scratch)
{
    private const int MaxAtOnce = 64;
    private const string Shell = "/bin/sh";

    private readonly Dictionary<string, Execution?> _running = []; // Null while it starts.
    private readonly HashSet<string> _killedEarly = []; // Before they had started.

    /// <summary><paramref name="onDone"/> gets null once it runs, else why it does not; output and end follow as frames.</summary>
    internal void Start(Exec command, IReadOnlyDictionary<string, string> environment, Action<string?> onDone)
    {
        if (RefusalOf(command) is { } refusal)
        {
            onDone(refusal);
            return;
        }

        if (!TryOpen(out var input, out var stdout, out var stderr))
        {
            onDone(Errno.Text(Errno.Last));
            return;
        }

        _running[command.Id] = null;
        children.Start(
            new([Shell, "-c", command.Command], environment, input, stdout.Theirs, stderr.Theirs),
            onStarted: pid =>
            {
                onDone(null);
                _running[command.Id] = new(
                    loop,
                    outbox,
                    scratch,
                    command.Id,
                    pid,
                    (stdout.Ours, stderr.Ours),
                    TimeSpan.FromMilliseconds(command.TimeoutMs),
                    onEnded: () => _running.Remove(command.Id));
                if (_killedEarly.Remove(command.Id))
                {
                    Kill(command.Id);
                }
            },
            onFailed: error =>
            {
                _running.Remove(command.Id);
                _killedEarly.Remove(command.Id);
                Descriptor.Close(ref stdout.Ours);
                Descriptor.Close(ref stderr.Ours);
                onDone(Errno.Text(error));
            },
            onExited: status => _running.GetValueOrDefault(command.Id)?.OnExited(status));
    }

    /// <summary>Harmless where there is no such command.</summary>
    internal void Kill(string id)
    {
        if (_running.TryGetValue(id, out var execution))
        {
            if (execution is null)
            {
                _killedEarly.Add(id);
            }

            execution?.Kill();
        }
    }

    private string? RefusalOf(Exec command) => command switch
    {
        _ when _running.Count >= MaxAtOnce => $"{MaxAtOnce} commands are running already.",
        { TimeoutMs: <= 0 } => "A command needs a time limit.",
        _ when command.Command.Contains('\0') => "A command cannot contain NUL.",
        _ => null,
    };

    private static bool TryOpen(out int input, out Pipes stdout, out Pipes stderr)
    {
        stdout = stderr = default;
        input = Libc.Open("/dev/null", Libc.OpenReadOnly | Libc.OpenCloseOnExec, 0);
        if (input < 0)
        {
            return false;
        }

        if (!Pipes.TryOpenOutput(out stdout))
        {
            Descriptor.Close(ref input);
            return false;
        }

        if (!Pipes.TryOpenOutput(out stderr))
        {
            Descriptor.Close(ref input);
            stdout.Close();
            return false;
        }

        return true;
    }
}
