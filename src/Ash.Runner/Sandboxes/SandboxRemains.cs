using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;

namespace Ash.Runner.Sandboxes;

/// <summary>Everything that a sandbox leaves on its host, found by its id alone.</summary>
internal sealed class SandboxRemains(CgroupLayout? cgroups, string runDirectory, string launchDirectory, TimeProvider clock)
{
    private const string LaunchPrefix = "launch-";

    /// <summary>How long what was killed may take to end.</summary>
    private static readonly TimeSpan endTimeout = TimeSpan.FromSeconds(30);

    public string SocketDirectory(string sandboxId) => Path.Combine(runDirectory, sandboxId);

    public string LaunchDirectory(string sandboxId) => Path.Combine(launchDirectory, LaunchPrefix + sandboxId);

    public SandboxCgroups? Cgroups(string sandboxId) => cgroups is null ? null : new SandboxCgroups(cgroups, sandboxId);

    /// <summary>Ends its processes, whether a cgroup holds them or not, and removes all it left. Harmless where nothing is left.</summary>
    /// <exception cref="SandboxException">Something has not ended; it may be tried again.</exception>
    public async Task EndAsync(SandboxIdentity identity, CancellationToken cancellationToken)
    {
        using var bridge = identity.BootId == ProcessStart.BootId
            ? ProcessHandle.TryOpen(identity.BridgePid, identity.BridgeStart)
            : null;
        await EndAsync(identity.Id, bridge, cancellationToken);
    }

    /// <param name="bridge">Pid 1 inside, whose end is that of everything inside; null where there is none or nobody knows it.</param>
    public async Task EndAsync(string sandboxId, ProcessHandle? bridge, CancellationToken cancellationToken)
    {
        bridge?.Kill();
        if (Cgroups(sandboxId) is { } groups)
        {
            await groups.RemoveAsync(clock, cancellationToken);
        }

        if (bridge is not null && !await Patience.WaitAsync(() => bridge.HasEnded, endTimeout, clock, cancellationToken))
        {
            throw new SandboxException(
                $"processes: {bridge.Pid} of sandbox {sandboxId} is still there {endTimeout.TotalSeconds:0} s after it was killed.");
        }

        // In a container the server may be pid 1, to which the bridge falls where bubblewrap ended before it.
        bridge?.TryReap();
        RemoveFolder(SocketDirectory(sandboxId));
        RemoveFolder(LaunchDirectory(sandboxId));
    }

    /// <summary>Every sandbox that has left anything.</summary>
    public IReadOnlySet<string> FindIds()
    {
        var sockets = Names(runDirectory);
        var launches = Names(launchDirectory)
            .Where(name => name.StartsWith(LaunchPrefix, StringComparison.Ordinal))
            .Select(name => name[LaunchPrefix.Length..]);
        return (cgroups?.SandboxIds() ?? []).Concat(sockets).Concat(launches).Where(SandboxId.IsValid).ToHashSet();
    }

    private static IEnumerable<string> Names(string directory) =>
        Directory.Exists(directory) ? Directory.EnumerateDirectories(directory).Select(path => Path.GetFileName(path)!) : [];

    private static void RemoveFolder(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
        }
    }
}
