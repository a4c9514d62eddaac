using Ash.Runner.Kernel;

namespace Ash.Runner.Sandboxes;

/// <summary>The two processes that the host knows of a sandbox: bubblewrap outside and pid 1 inside.</summary>
internal sealed class SandboxProcesses : IDisposable
{
    private readonly ProcessHandle? _launcher;
    private readonly ProcessWatcher.Watch? _launcherWatch;
    private readonly ProcessWatcher.Watch _bridgeWatch;

    /// <param name="launcher">Null where it has ended before the bridge; that does not end the sandbox.</param>
    /// <param name="bridge">Owned from here on, as is <paramref name="launcher"/>.</param>
    /// <param name="watcher">Stays the caller's.</param>
    public SandboxProcesses(ProcessHandle? launcher, ProcessHandle bridge, ProcessWatcher watcher)
    {
        _launcher = launcher;
        Bridge = bridge;
        _bridgeWatch = watcher.Start(bridge);
        BridgeEnded = EndBridgeAsync();
        if (launcher is null)
        {
            LauncherStatus = Task.FromResult<int?>(null);
        }
        else
        {
            _launcherWatch = watcher.Start(launcher);
            LauncherStatus = EndLauncherAsync(launcher, _launcherWatch);
        }
    }

    public ProcessHandle Bridge { get; }

    /// <summary>Completes when the bridge has ended; never faults, and never completes once disposed.</summary>
    public Task BridgeEnded { get; }

    /// <summary>The bridge's exit status as bubblewrap passes it on; null where bubblewrap is not our child.</summary>
    public Task<int?> LauncherStatus { get; }

    public void Dispose()
    {
        _bridgeWatch.Dispose();
        _launcherWatch?.Dispose();
        _launcher?.TryReap();
        Bridge.Dispose();
        _launcher?.Dispose();
    }

    private async Task EndBridgeAsync()
    {
        await _bridgeWatch.Ended;

        // In a container the server may be pid 1, to which the bridge falls when bubblewrap ended before it.
        Bridge.TryReap();
    }

    private static async Task<int?> EndLauncherAsync(ProcessHandle launcher, ProcessWatcher.Watch watch)
    {
        await watch.Ended;
        return launcher.TryReap();
    }
}
