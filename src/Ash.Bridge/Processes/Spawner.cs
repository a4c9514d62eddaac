using System.Diagnostics;
using Ash.Bridge.Native;

namespace Ash.Bridge.Processes;

/// <summary>The one thread that starts and kills processes, in the order asked for: whatever was asked for before a kill is killed by it.</summary>
internal sealed class Spawner(string directory, Reaper reaper)
{
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KillInterval = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<Action> _work = new();
    private readonly Bell _hasWork = new();

    /// <summary>Reports the pid, or the error number, on the spawner's thread.</summary>
    internal void Start(SpawnRequest request, Action<int, int> onDone) => Ask(() =>
    {
        var error = PosixSpawn.Start(request, directory, out var process);
        reaper.Wake();

        var (input, output, errors) = (request.Input, request.Output, request.Error);
        Descriptor.Close(ref input);
        Descriptor.Close(ref output);
        Descriptor.Close(ref errors);

        onDone(process, error);
    });

    /// <summary>Kills every process but this one and reports, on the spawner's thread, when none is left.</summary>
    internal void KillAll(Action onDone) => Ask(() =>
    {
        // The dead count until they are collected, so "no such process" means that nothing at all is left. A process that
        // hangs in the kernel must not hold up the rest for ever.
        var begun = Stopwatch.GetTimestamp();
        while (Libc.Kill(-1, Libc.KillSignal) == 0 && Stopwatch.GetElapsedTime(begun) < KillPatience)
        {
            reaper.WaitForOne(KillInterval);
        }

        onDone();
    });

    /// <summary>Never returns.</summary>
    internal void Run()
    {
        while (true)
        {
            if (Next() is { } action)
            {
                action();
            }
            else
            {
                _hasWork.Wait();
            }
        }
    }

    private void Ask(Action action)
    {
        lock (_gate)
        {
            _work.Enqueue(action);
        }

        _hasWork.Ring();
    }

    private Action? Next()
    {
        lock (_gate)
        {
            return _work.TryDequeue(out var action) ? action : null;
        }
    }
}
