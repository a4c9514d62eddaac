using Ash.Runner.Bridges;
using Ash.Runner.Kernel;
using Microsoft.Extensions.Logging;

namespace Ash.Runner.Sandboxes;

/// <summary>One start of a sandbox, from its cgroups to the bridge's hello; undone as a whole where it fails.</summary>
internal sealed partial class SandboxStart(
    string sandboxId, SandboxRemains remains, ProcessWatcher watcher, TimeProvider clock, ILogger logger) : IAsyncDisposable
{
    public const string SocketName = "host.sock";

    /// <summary>How long the launcher and bubblewrap may take until they have said which process they started, and to end.</summary>
    private static readonly TimeSpan launchTimeout = TimeSpan.FromSeconds(5);

    private SandboxLaunch? written;
    private BridgeListener? listener;
    private ProcessHandle? launcher;
    private ProcessWatcher.Watch? launcherWatch;

    // Read by the listener's thread.
    private volatile ProcessHandle? bridge;
    private bool succeeded;

    /// <exception cref="SandboxException">It did not come up.</exception>
    public async Task<Sandbox> RunAsync(
        SandboxSpec spec,
        SandboxSources sources,
        string launcherProgram,
        uint? owner,
        TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        var cgroups = remains.Cgroups(spec.Id);
        cgroups?.Create(spec.Limits);
        var launch = written = SandboxLaunch.Write(
            remains.LaunchDirectory(spec.Id), spec, sources, cgroups?.JoinFiles ?? [], dropsUser: owner is not null);

        // The launch's folder goes after the first hello; the bridge dials again for as long as it lives.
        listener = new BridgeListener(
            spec.Id, Path.Combine(sources.Run, SocketName), owner, () => bridge?.Pid ?? launch.ReadBridgePid(), clock, logger);
        launcher = ChildProcess.Start(launcherProgram, ["launch", launch.SpecFile], launch.OutputFile);
        launcherWatch = watcher.Start(launcher);

        await WaitForHelloAsync(listener, launcherWatch.Ended, launch, timeout, cancellationToken);

        var bridgePid = launch.ReadBridgePid() ?? throw new SandboxException("bubblewrap: it did not say which process it started.");
        bridge = ProcessHandle.TryOpen(bridgePid) ?? throw new SandboxException("bridge: it ended right after its start.");
        launch.Remove();
        launcherWatch.Dispose();
        launcherWatch = null;

        var identity = new SandboxIdentity(
            spec.Id, launcher.Pid, launcher.Start, bridge.Pid, bridge.Start, ProcessStart.BootId, (int)(owner ?? Libc.EffectiveUser()));
        var sandbox = new Sandbox(
            identity, remains, cgroups, listener, new SandboxProcesses(launcher, bridge, watcher), logger);
        succeeded = true;
        LogStarted(spec.Id, bridge.Pid);
        return sandbox;
    }

    /// <summary>Where the start has not succeeded: ends what was started and removes what was made.</summary>
    public async ValueTask DisposeAsync()
    {
        if (succeeded)
        {
            return;
        }

        bridge ??= await FindBridgeAsync();
        bridge?.Kill();
        launcherWatch?.Dispose();
        if (launcher is not null)
        {
            launcher.Kill();
            await Patience.WaitAsync(() => launcher.HasEnded, launchTimeout, clock, CancellationToken.None);
            launcher.TryReap();
            launcher.Dispose();
        }

        if (listener is not null)
        {
            await listener.DisposeAsync();
        }

        using (bridge)
        {
            await remains.EndAsync(sandboxId, bridge, CancellationToken.None);
        }
    }

    /// <summary>Where no cgroup holds what bubblewrap has started, nothing but bubblewrap's word leads to it.</summary>
    private async Task<ProcessHandle?> FindBridgeAsync()
    {
        if (written is null || launcher is null || remains.Cgroups(sandboxId) is not null)
        {
            return null;
        }

        // Killed before its word, bubblewrap would leave a process that waits for it for ever.
        await Patience.WaitAsync(
            () => written.ReadBridgePid() is not null || launcher.HasEnded, launchTimeout, clock, CancellationToken.None);
        if (written.ReadBridgePid() is not { } pid || ProcessHandle.TryOpen(pid) is not { } found)
        {
            return null;
        }

        if (found.Start >= launcher.Start)
        {
            return found;
        }

        // Older than the launcher: the number is another process's by now.
        found.Dispose();
        return null;
    }

    private async Task WaitForHelloAsync(
        BridgeListener listening, Task launcherEnded, SandboxLaunch launch, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var giveUp = new CancellationTokenSource(timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(giveUp.Token, cancellationToken);
        var hello = listening.Connections.WaitToReadAsync(either.Token).AsTask();
        if (await Task.WhenAny(hello, launcherEnded) == hello)
        {
            try
            {
                await hello;
                return;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new SandboxException(
                    $"bridge: it did not say hello within {timeout.TotalSeconds:0} s. {launch.ReadComplaint()}");
            }
        }

        throw new SandboxException($"The sandbox could not be started: {Advise(launch.ReadComplaint())}");
    }

    private static string Advise(string complaint) =>
        complaint.Contains("namespace", StringComparison.OrdinalIgnoreCase)
            ? $"{complaint} (The kernel must let ordinary users make user namespaces: see the settings user.max_user_namespaces, "
                + "kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns; a container must not forbid "
                + "the calls `unshare`, `clone` and `mount`.)"
            : complaint;

    [LoggerMessage(LogLevel.Information, "Started sandbox {SandboxId}, bridge pid {BridgePid}")]
    private partial void LogStarted(string sandboxId, int bridgePid);
}
