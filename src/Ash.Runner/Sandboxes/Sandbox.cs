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
    private static readonly TimeSpan LauncherEndTimeout = TimeSpan.FromSeconds(1);

    private readonly SandboxRemains _remains;
    private readonly SandboxCgroups? _cgroups;
    private readonly BridgeListener _listener;
    private readonly SandboxProcesses _processes;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private Task? _killing;
    private Task? _letting;

    internal Sandbox(
        SandboxIdentity identity,
        SandboxRemains remains,
        SandboxCgroups? cgroups,
        BridgeListener listener,
        SandboxProcesses processes,
        ILogger logger)
    {
        Identity = identity;
        _remains = remains;
        _cgroups = cgroups;
        _listener = listener;
        _processes = processes;
        _logger = logger;
        Exited = WaitForExitAsync();
    }

    public SandboxIdentity Identity { get; }

    public ChannelReader<IBridgeConnection> Connections => _listener.Connections;

    public Task<SandboxExit> Exited { get; }

    public Task KillAsync()
    {
        lock (_gate)
        {
            return _killing = _killing is null or { IsFaulted: true } ? KillOnceAsync() : _killing;
        }
    }

    public SandboxUsage? ReadUsage() => _cgroups?.ReadUsage();

    public void SetCpuWeight(int percent) => _cgroups?.SetCpuWeight(percent);

    public Task<bool> FreezeAsync(CancellationToken cancellationToken) =>
        _cgroups?.FreezeAsync(TimeProvider.System, cancellationToken) ?? Task.FromResult(false);

    public void Thaw() => _cgroups?.Thaw();

    public async ValueTask DisposeAsync()
    {
        Task? before;
        lock (_gate)
        {
            before = _killing;
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
        var isWatched = _letting is null;
        if (isWatched)
        {
            // The end of pid 1 ends its namespace: it is gone only when everything else inside is. Killed before it has
            // reaped the bridge, the outer bubblewrap would leave that to the host's init.
            _processes.Bridge.Kill();
            await LauncherStatusAsync();
        }

        await _remains.EndAsync(Identity, CancellationToken.None);
        if (isWatched)
        {
            await Exited;
        }

        LogKilled(Identity.Id);
        await LetGoOnceAsync();
    }

    private Task LetGoOnceAsync()
    {
        lock (_gate)
        {
            return _letting ??= LetGoAsync();
        }
    }

    private async Task LetGoAsync()
    {
        await _listener.DisposeAsync();
        _processes.Dispose();
    }

    private async Task<SandboxExit> WaitForExitAsync()
    {
        await _processes.BridgeEnded;
        _listener.Complete();
        var outOfMemory = _cgroups?.OutOfMemoryKills() > 0 && await WasKilledAsync();
        LogExited(Identity.Id, outOfMemory);
        return outOfMemory ? SandboxExit.OutOfMemory : SandboxExit.Ended;
    }

    /// <summary>Whether a signal ended the bridge that we did not send. Unknown, and taken for true, where it is not our child's child.</summary>
    private async Task<bool> WasKilledAsync()
    {
        lock (_gate)
        {
            if (_killing is not null)
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
            return await _processes.LauncherStatus.WaitAsync(LauncherEndTimeout);
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
