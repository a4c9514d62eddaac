using System.Globalization;
using Ash.Runner.Kernel;
using Ash.Runner.Sandboxes;

namespace Ash.Runner.Cgroups;

/// <summary>The cgroups of one sandbox: its limits, and the list of its processes that no process can leave.</summary>
internal sealed class SandboxCgroups(CgroupLayout layout, string sandboxId)
{
    private const int CpuPeriodMicroseconds = 100_000;

    /// <summary>The kernel ends processes in its own time, but this is long for all that it may have to wait for.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan FreezeTimeout = TimeSpan.FromSeconds(1);

    public IReadOnlyList<string> Folders { get; } = layout.SandboxFolders(sandboxId);

    /// <summary>Files into which the launcher writes <c>0</c>.</summary>
    /// <remarks>On v1 <c>tasks</c>: <c>cgroup.procs</c> waits for a grace period of the whole machine, 8 to 9 ms.</remarks>
    public IReadOnlyList<string> JoinFiles { get; } =
    [
        .. layout.Hierarchies.Select(hierarchy =>
            Path.Combine(layout.SandboxFolder(hierarchy, sandboxId), hierarchy.IsV2 ? "cgroup.procs" : "tasks")),
    ];

    private string MemoryFolder => layout.SandboxFolder(layout.Memory, sandboxId);

    private string PidsFolder => layout.SandboxFolder(layout.Pids, sandboxId);

    private string CpuFolder => layout.SandboxFolder(layout.Cpu, sandboxId);

    public void Create(SandboxLimits limits)
    {
        foreach (var folder in Folders)
        {
            Directory.CreateDirectory(folder);
        }

        LimitMemory(limits.MemoryMb * 1024L * 1024L);
        Write(PidsFolder, "pids.max", limits.Pids);
        LimitCpu(limits.Cpus);
    }

    /// <summary>Its share of a busy machine, in percent of what a process outside has. Without effect where the cgroup is gone.</summary>
    public void SetCpuWeight(int percent)
    {
        try
        {
            // 100 and 1024 are the kernel's defaults.
            Write(CpuFolder, layout.Cpu.IsV2 ? "cpu.weight" : "cpu.shares", layout.Cpu.IsV2 ? percent : percent * 1024 / 100);
        }
        catch (IOException)
        {
            // It has ended in between.
        }
    }

    /// <summary>How often the kernel has killed a process of this sandbox at the memory limit; 0 where that is unknown.</summary>
    public long OutOfMemoryKills() =>
        ReadField(MemoryFolder, layout.Memory.IsV2 ? "memory.events" : "memory.oom_control", "oom_kill ");

    public SandboxUsage ReadUsage() => new(
        ReadField(MemoryFolder, layout.Memory.IsV2 ? "memory.current" : "memory.usage_in_bytes", string.Empty),
        (int)ReadField(PidsFolder, "pids.current", string.Empty),
        OutOfMemoryKills());

    /// <summary>Host pids of the sandbox's processes.</summary>
    public IReadOnlySet<int> Processes() => FindFolders().SelectMany(ProcessesIn).ToHashSet();

    /// <summary>Ends every process and removes the folders. Returns when nothing is left; harmless where nothing is.</summary>
    /// <exception cref="SandboxException">Something is left after half a minute; it may be tried again.</exception>
    public async Task RemoveAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        // When the last process has left a cgroup is said nowhere that all hierarchies share.
        if (!await Patience.WaitAsync(() => TryRemoveAsync(clock, cancellationToken), EndTimeout, clock, cancellationToken))
        {
            var pids = string.Join(", ", Processes().Order());
            throw new SandboxException(
                $"cgroups: {string.Join(", ", FindFolders())} cannot be removed {EndTimeout.TotalSeconds:0} s after everything in it was "
                + $"killed. {(pids.Length == 0 ? "Nothing runs there any more." : $"Still there: {pids}.")}");
        }
    }

    /// <summary>Its folders that exist, and whatever was made below them, which comes first.</summary>
    private List<string> FindFolders()
    {
        List<string> found = [];
        foreach (var folder in Folders)
        {
            try
            {
                found.AddRange(Directory.GetDirectories(folder, "*", SearchOption.AllDirectories).OrderByDescending(path => path.Length));
                found.Add(folder);
            }
            catch (DirectoryNotFoundException)
            {
            }
        }

        return found;
    }

    private async Task<bool> TryRemoveAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        var folders = FindFolders();
        if (folders.Count > 0 && Processes().Count > 0)
        {
            await KillAllAsync(clock, cancellationToken);
        }

        var removed = true;
        foreach (var folder in folders)
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (DirectoryNotFoundException)
            {
            }
            catch (IOException)
            {
                removed = false;
            }
        }

        return removed;
    }

    /// <summary>Stops every process where it stands.</summary>
    /// <returns>False where no hierarchy can, or one process does not stand still within a second: it waits in the kernel.</returns>
    public async Task<bool> FreezeAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        if (layout.Kill is not { } hierarchy)
        {
            return false;
        }

        var folder = layout.SandboxFolder(hierarchy, sandboxId);
        return (hierarchy.IsV2 ? TryWrite(folder, "cgroup.freeze", "1") : TryWrite(folder, "freezer.state", "FROZEN"))
            && await Patience.WaitAsync(
                () => hierarchy.IsV2 ? ReadField(folder, "cgroup.events", "frozen ") == 1 : IsFrozen(folder),
                FreezeTimeout,
                clock,
                cancellationToken);
    }

    /// <summary>Lets frozen processes go on. Harmless where none is frozen, or nothing is left.</summary>
    public void Thaw()
    {
        if (layout.Kill is { } hierarchy)
        {
            var folder = layout.SandboxFolder(hierarchy, sandboxId);
            TryWrite(folder, hierarchy.IsV2 ? "cgroup.freeze" : "freezer.state", hierarchy.IsV2 ? "0" : "THAWED");
        }
    }

    private async Task KillAllAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        // Whatever kills them one by one then cannot be outrun by a fork.
        TryWrite(PidsFolder, "pids.max", "0");

        if (layout.Kill is { IsV2: true } unified && TryWrite(layout.SandboxFolder(unified, sandboxId), "cgroup.kill", "1"))
        {
            return;
        }

        var freezer = layout.Kill is { IsV2: false } hierarchy ? layout.SandboxFolder(hierarchy, sandboxId) : null;
        if (freezer is null)
        {
            ListedProcesses.Kill(Processes);
            return;
        }

        try
        {
            // What waits in the kernel is not frozen before it comes back, and is killed all the same.
            TryWrite(freezer, "freezer.state", "FROZEN");
            await Patience.WaitAsync(() => IsFrozen(freezer), FreezeTimeout, clock, cancellationToken);
            ListedProcesses.Kill(Processes);
        }
        finally
        {
            TryWrite(freezer, "freezer.state", "THAWED");
        }
    }

    private void LimitMemory(long bytes)
    {
        if (layout.Memory.IsV2)
        {
            Write(MemoryFolder, "memory.max", bytes);
            WriteIfPresent(MemoryFolder, "memory.swap.max", 0);
            return;
        }

        // In this order: memory and swap together may never be limited to less than memory.
        Write(MemoryFolder, "memory.limit_in_bytes", bytes);
        WriteIfPresent(MemoryFolder, "memory.memsw.limit_in_bytes", bytes);
        WriteIfPresent(MemoryFolder, "memory.swappiness", 0);
    }

    private void LimitCpu(double cores)
    {
        var quota = (long)Math.Ceiling(cores * CpuPeriodMicroseconds);
        if (layout.Cpu.IsV2)
        {
            File.WriteAllText(Path.Combine(CpuFolder, "cpu.max"), $"{quota} {CpuPeriodMicroseconds}");
            return;
        }

        Write(CpuFolder, "cpu.cfs_period_us", CpuPeriodMicroseconds);
        Write(CpuFolder, "cpu.cfs_quota_us", quota);
    }

    private static long ReadField(string folder, string file, string key)
    {
        try
        {
            return File.ReadLines(Path.Combine(folder, file))
                .Where(line => line.StartsWith(key, StringComparison.Ordinal))
                .Select(line => long.Parse(line.AsSpan(key.Length), CultureInfo.InvariantCulture))
                .FirstOrDefault();
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static IEnumerable<int> ProcessesIn(string folder)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(folder, "cgroup.procs")).Select(line => int.Parse(line, CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static bool IsFrozen(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "freezer.state")).TrimEnd() == "FROZEN";
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static void Write(string folder, string file, long value) =>
        File.WriteAllText(Path.Combine(folder, file), value.ToString(CultureInfo.InvariantCulture));

    private static void WriteIfPresent(string folder, string file, long value)
    {
        if (File.Exists(Path.Combine(folder, file)))
        {
            Write(folder, file, value);
        }
    }

    private static bool TryWrite(string folder, string file, string value)
    {
        try
        {
            File.WriteAllText(Path.Combine(folder, file), value);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            // A kernel before 5.14 has no `cgroup.kill`, and nobody may make files there.
            return false;
        }
    }
}
