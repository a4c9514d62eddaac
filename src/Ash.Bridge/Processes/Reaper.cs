using Ash.Bridge.Native;

namespace Ash.Bridge.Processes;

/// <summary>What the main thread of pid 1 does, and all it does: it collects the dead, orphans included.</summary>
internal sealed class Reaper(Action<int, ExitStatus> onReaped)
{
    private readonly Bell _mayHaveChildren = new();
    private readonly Bell _reaped = new();

    /// <summary>To be called after each start of a process.</summary>
    internal void Wake() => _mayHaveChildren.Ring();

    /// <summary>Waits until a process was collected, or for so long.</summary>
    internal void WaitForOne(TimeSpan atMost) => _reaped.Wait(atMost);

    /// <summary>Never returns.</summary>
    internal void Run()
    {
        while (true)
        {
            var process = Libc.WaitForProcess(-1, out var status, 0);
            if (process > 0)
            {
                onReaped(process, ExitStatus.From(status));
                _reaped.Ring();
            }
            else if (Errno.Last != Errno.Interrupted)
            {
                _mayHaveChildren.Wait(); // Without children there can be no orphans either.
            }
        }
    }
}
