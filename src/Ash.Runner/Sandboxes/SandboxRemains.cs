using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;

namespace Ash.Runner.Sandboxes;

/// <summary>Everything that a sandbox leaves on its host, found by its id alone.</summary>
internal sealed class SandboxRemains(CgroupLayout? cgroups, string runDirectory, string launchDirectory)
{
    private const string LaunchPrefix = "launch-";

    public string SocketDirectory(string sandboxId) => Path.Combine(runDirectory, sandboxId);

    public string LaunchDirectory(string sandboxId) => Path.Combine(launchDirectory, LaunchPrefix + sandboxId);

    public SandboxCgroups? Cgroups(string sandboxId) => cgroups is null ? null : new SandboxCgroups(cgroups, sandboxId);

    /// <summary>Ends its processes, also where no cgroup holds them, and removes all it left.</summary>
    public async Task RemoveAsync(SandboxIdentity identity, CancellationToken cancellationToken)
    {
        if (identity.BootId == ProcessStart.BootId)
        {
            using var bridge = ProcessHandle.TryOpen(identity.BridgePid, identity.BridgeStart);
            bridge?.Kill();
        }

        await RemoveAsync(identity.Id, cancellationToken);
    }

    /// <summary>Ends the processes in its cgroups, and removes all it left.</summary>
    public async Task RemoveAsync(string sandboxId, CancellationToken cancellationToken)
    {
        if (Cgroups(sandboxId) is { } groups)
        {
            await groups.RemoveAsync(cancellationToken);
        }

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
