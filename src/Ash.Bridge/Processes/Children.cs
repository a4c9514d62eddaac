using Ash.Bridge.Loop;

namespace Ash.Bridge.Processes;

/// <summary>The loop's view of processes: who is a child of ours, and whom to tell of its end.</summary>
internal sealed class Children
{
    private readonly EventLoop _loop;
    private readonly Spawner _spawner;
    private readonly Dictionary<int, Action<ExitStatus>> _running = [];
    private readonly Dictionary<int, ExitStatus> _early = []; // Ended before its start was reported.
    private int _starting;

    internal Children(EventLoop loop, string directory)
    {
        _loop = loop;
        Reaper = new Reaper((process, status) => loop.Post(() => OnReaped(process, status)));
        _spawner = new Spawner(directory, Reaper);
    }

    internal Reaper Reaper { get; }

    /// <summary>The spawner's thread; to be started before the first command comes.</summary>
    internal void RunSpawner() => _spawner.Run();

    /// <summary>Exactly one of <paramref name="onStarted"/> (pid) and <paramref name="onFailed"/> (error number) is called; the end after the start.</summary>
    internal void Start(SpawnRequest request, Action<int> onStarted, Action<int> onFailed, Action<ExitStatus> onExited)
    {
        _starting++;
        _spawner.Start(request, (process, error) => _loop.Post(() =>
        {
            _starting--;
            if (error != 0)
            {
                onFailed(error);
            }
            else
            {
                onStarted(process);
                Watch(process, onExited);
            }

            if (_starting == 0)
            {
                _early.Clear();
            }
        }));
    }

    /// <summary>Ends everything but this process. What is asked to start later is not touched.</summary>
    internal void KillAll(Action onDone) => _spawner.KillAll(() => _loop.Post(onDone));

    private void Watch(int process, Action<ExitStatus> onExited)
    {
        if (_early.Remove(process, out var status))
        {
            onExited(status);
        }
        else
        {
            _running[process] = onExited;
        }
    }

    private void OnReaped(int process, ExitStatus status)
    {
        if (_running.Remove(process, out var onExited))
        {
            onExited(status);
        }
        else if (_starting > 0)
        {
            _early[process] = status;
        }
    }
}
