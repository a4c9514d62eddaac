using System.Threading.Channels;
using Ash.Runner.Bridges;
using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;
using Microsoft.Extensions.Logging;

namespace Ash.Runner.Sandboxes;

/// <inheritdoc cref="ISandbox"/>
internal sealed partial class Sandbox : ISandbox
{
    private const int KilledStatus = 128 + Libc.SigKill;

    /// <summary>The outer bubblewrap passes the bridge's exit status on and ends at once.</summary>
    private static readonly TimeSpan launcherEndTimeout = TimeSpan.FromSeconds(1);

    private readonly SandboxRemains remains;
    private readonly SandboxCgroups? cgroups;
    private readonly BridgeListener listener;
    private readonly SandboxProcesses processes;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private Task? killing;
    private Task? letting;

    internal Sandbox(
        SandboxIdentity identity,
        SandboxRemains remains,
        SandboxCgroups? cgroups,
        BridgeListener listener,
        SandboxProcesses processes,
        ILogger logger)
    {
        Identity = identity;
        this.remains = remains;
        this.cgroups = cgroups;
        this.listener = listener;
        this.processes = processes;
        this.logger = logger;
        Exited = WaitForExitAsync();
    }

    public SandboxIdentity Identity { get; }

    public ChannelReader<IBridgeConnection> Connections => listener.Connections;

    public Task<SandboxExit> Exited { get; }

    public Task KillAsync()
    {
        lock (gate)
        {
            return killing = killing is null or { IsFaulted: true } ? KillOnceAsync() : killing;
        }
    }

    public SandboxUsage? ReadUsage() => cgroups?.ReadUsage();

    public async ValueTask DisposeAsync()
    {
        Task? before;
        lock (gate)
        {
            before = killing;
        }

        if (before is not null)
        {
            // Whoever asked for it hears of its failure.
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await LetGoOnceAsync();
    }

    private async Task KillOnceAsync()
    {
        var isWatched = letting is null;
        if (isWatched)
        {
            // The end of pid 1 ends its namespace: it is gone only when everything else inside is. Killed before it has
            // reaped the bridge, the outer bubblewrap would leave that to the host's init.
            processes.Bridge.Kill();
            await LauncherStatusAsync();
        }

        await remains.EndAsync(Identity, CancellationToken.None);
        if (isWatched)
        {
            await Exited;
        }

        LogKilled(Identity.Id);
        await LetGoOnceAsync();
    }

    private Task LetGoOnceAsync()
    {
        lock (gate)
        {
            return letting ??= LetGoAsync();
        }
    }

    private async Task LetGoAsync()
    {
        await listener.DisposeAsync();
        processes.Dispose();
    }

    private async Task<SandboxExit> WaitForExitAsync()
    {
        await processes.BridgeEnded;
        listener.Complete();
        var outOfMemory = cgroups?.OutOfMemoryKills() > 0 && await WasKilledAsync();
        LogExited(Identity.Id, outOfMemory);
        return outOfMemory ? SandboxExit.OutOfMemory : SandboxExit.Ended;
    }

    /// <summary>Whether a signal ended the bridge that we did not send. Unknown, and taken for true, where it is not our child's child.</summary>
    private async Task<bool> WasKilledAsync()
    {
        lock (gate)
        {
            if (killing is not null)
            {
                return false;
            }
        }

        return await LauncherStatusAsync() is null or KilledStatus;
    }

    private async Task<int?> LauncherStatusAsync()
    {
        try
        {
            return await processes.LauncherStatus.WaitAsync(launcherEndTimeout);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    [LoggerMessage(LogLevel.Information, "Sandbox {SandboxId} ended, out of memory: {OutOfMemory}")]
    private partial void LogExited(string sandboxId, bool outOfMemory);

    [LoggerMessage(LogLevel.Debug, "Sandbox {SandboxId} is gone")]
    private partial void LogKilled(string sandboxId);
}
