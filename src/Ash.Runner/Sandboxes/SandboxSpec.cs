namespace Ash.Runner.Sandboxes;

/// <summary>What is special about one sandbox; everything else is the same for all.</summary>
public sealed record SandboxSpec
{
    /// <summary>Twelve lower-case letters, never used again.</summary>
    public required string Id { get; init; }

    /// <summary>Host user and group, never 0. Owns workspace and home. Ignored under reduced isolation.</summary>
    public required int Uid { get; init; }

    /// <summary>Host folder seen as <c>/workspace</c>.</summary>
    public required string WorkspacePath { get; init; }

    /// <summary>Host folder seen as <c>/home/agent</c>.</summary>
    public required string HomePath { get; init; }

    /// <summary>
    /// Host folder whose <c>CLAUDE.md</c>, <c>.claude</c> and <c>.mcp.json</c> lie read-only over the workspace, empty
    /// where it has none; null where the agent opted out and may change them.
    /// </summary>
    public required string? ContentPath { get; init; }

    public SandboxLimits Limits { get; init; } = new();

    /// <summary>After so long without a server the bridge ends the sandbox.</summary>
    public TimeSpan OrphanTimeout { get; init; } = TimeSpan.FromMinutes(10);
}

/// <param name="MemoryMb">MiB, tmpfs and page cache included.</param>
/// <param name="Cpus">Cores.</param>
/// <param name="Pids">Tasks; threads count.</param>
public sealed record SandboxLimits(int MemoryMb = 2048, double Cpus = 1, int Pids = 512);

/// <summary>Where a sandbox's things are.</summary>
/// <param name="SocketDirectory">Host folder seen read-only as <c>/run/ash</c>; <c>host.sock</c> is the runner's, <c>broker.sock</c> the broker's.</param>
/// <param name="CgroupPaths">Absolute folders of its cgroups; empty under reduced isolation.</param>
public sealed record SandboxPlan(string SocketDirectory, IReadOnlyList<string> CgroupPaths);

/// <summary>What names a sandbox's processes beyond doubt, to be stored: a pid alone may be another process by tomorrow.</summary>
/// <param name="Id">The sandbox.</param>
/// <param name="LauncherPid">Host pid of the outer bubblewrap.</param>
/// <param name="LauncherStart">Its start time in clock ticks since boot (<c>/proc/PID/stat</c>, field 22).</param>
/// <param name="BridgePid">Host pid of pid 1 inside.</param>
/// <param name="BridgeStart">Its start time.</param>
/// <param name="BootId"><c>/proc/sys/kernel/random/boot_id</c>.</param>
/// <param name="Uid">Host user.</param>
public sealed record SandboxIdentity(
    string Id, int LauncherPid, long LauncherStart, int BridgePid, long BridgeStart, string BootId, int Uid);

/// <summary>What a sandbox uses, as its cgroups count it. All 0 once it is gone.</summary>
/// <param name="MemoryBytes">Page cache and tmpfs included.</param>
/// <param name="Tasks">Processes and threads.</param>
/// <param name="OutOfMemoryKills">How often the kernel has killed one of its processes at the memory limit.</param>
public sealed record SandboxUsage(long MemoryBytes, int Tasks, long OutOfMemoryKills);

/// <summary>How a sandbox ended. Read before its cgroup is removed.</summary>
public enum SandboxExit
{
    /// <summary>The bridge ended by itself or was killed from outside.</summary>
    Ended,

    /// <summary>The memory limit was reached and the kernel killed the bridge.</summary>
    OutOfMemory,
}

public enum IsolationLevel
{
    /// <summary>Every layer holds.</summary>
    Full,

    /// <summary>The operator allowed a server without root or without cgroups: no own uid, no limits.</summary>
    Reduced,
}
