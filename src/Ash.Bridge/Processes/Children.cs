using Ash.Bridge.Loop;

namespace Ash.Bridge.Processes;

/// <summary>The loop's view of processes: who is a child of ours, and whom to tell of its end.</summary>
internal sealed class Children
{
    private readonly EventLoop loop;
    private readonly Spawner spawner;
    private readonly Dictionary<int, Action<ExitStatus>> running = [];
    private readonly Dictionary<int, ExitStatus> early = []; // Ended before its start was reported.
    private int starting;

    internal Children(EventLoop loop, string directory)
    {
        this.loop = loop;
        Reaper = new Reaper((process, status) => loop.Post(() => OnReaped(process, status)));
        spawner = new Spawner(directory, Reaper);
    }

    internal Reaper Reaper { get; }

    /// <summary>The spawner's thread; to be started before the first command comes.</summary>
    internal void RunSpawner() => spawner.Run();

    /// <summary>Exactly one of <paramref name="onStarted"/> (pid) and <paramref name="onFailed"/> (error number) is called; the end after the start.</summary>
    internal void Start(SpawnRequest request, Action<int> onStarted, Action<int> onFailed, Action<ExitStatus> onExited)
    {
        starting++;
        spawner.Start(request, (process, error) => loop.Post(() =>
        {
            starting--;
            if (error != 0)
            {
                onFailed(error);
            }
            else
            {
                onStarted(process);
                Watch(process, onExited);
            }

            if (starting == 0)
            {
                early.Clear();
            }
        }));
    }

    /// <summary>Ends everything but this process. What is asked to start later is not touched.</summary>
    internal void KillAll(Action onDone) => spawner.KillAll(() => loop.Post(onDone));

    private void Watch(int process, Action<ExitStatus> onExited)
    {
        if (early.Remove(process, out var status))
        {
            onExited(status);
        }
        else
        {
            running[process] = onExited;
        }
    }

    private void OnReaped(int process, ExitStatus status)
    {
        if (running.Remove(process, out var onExited))
        {
            onExited(status);
        }
        else if (starting > 0)
        {
            early[process] = status;
        }
    }
}
