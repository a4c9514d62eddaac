using Ash.Runner.Sandboxes;

namespace Ash.Runner.Cgroups;

/// <summary>Which hierarchy limits what on this machine, and where a sandbox's cgroups are in them.</summary>
/// <remarks>
/// Chosen per controller: v2 where it offers it, else v1. Machines with both have a v2 mount without controllers: it
/// would be of use for the kill alone, and to join it takes 5 to 10 ms of a start, so the v1 freezer goes first there.
/// </remarks>
internal sealed class CgroupLayout
{
    private readonly string _serverFolder;

    private CgroupLayout(
        CgroupHierarchy memory, CgroupHierarchy pids, CgroupHierarchy cpu, CgroupHierarchy? kill, string serverFolder)
    {
        Memory = memory;
        Pids = pids;
        Cpu = cpu;
        Kill = kill;
        _serverFolder = serverFolder;
        Hierarchies = [.. new[] { memory, pids, cpu, kill }.OfType<CgroupHierarchy>().Distinct()];
    }

    public CgroupHierarchy Memory { get; }

    public CgroupHierarchy Pids { get; }

    public CgroupHierarchy Cpu { get; }

    /// <summary>A hierarchy that helps to kill: v2 (<c>cgroup.kill</c>) or a v1 freezer; null where processes are killed one by one.</summary>
    public CgroupHierarchy? Kill { get; }

    public IReadOnlyList<CgroupHierarchy> Hierarchies { get; }

    /// <summary>Looks at what is mounted.</summary>
    /// <param name="serverId">Made once per data folder; keeps servers on one machine apart.</param>
    /// <param name="missing">Gets a line, with its remedy, for each controller that nothing offers.</param>
    /// <returns>Null where a controller is missing.</returns>
    public static CgroupLayout? Find(string serverId, ICollection<string> missing) =>
        Choose(
            CgroupHierarchy.Parse(File.ReadAllText("/proc/self/mountinfo"), static mountPoint =>
                Path.Combine(mountPoint, "cgroup.controllers") is var file && File.Exists(file) ? File.ReadAllText(file) : null),
            serverId,
            missing);

    internal static CgroupLayout? Choose(
        IReadOnlyList<CgroupHierarchy> mounted, string serverId, ICollection<string> missing)
    {
        CgroupHierarchy? Offering(string controller)
        {
            var found = mounted.FirstOrDefault(h => h.IsV2 && h.Controllers.Contains(controller))
                ?? mounted.FirstOrDefault(h => !h.IsV2 && h.Controllers.Contains(controller));
            if (found is null)
            {
                missing.Add(
                    $"cgroups: no writable hierarchy offers the `{controller}` controller, so a sandbox's {controller} cannot be "
                    + "limited. Mount cgroup2 (or the v1 controller) writable, or accept less with ASH_ISOLATION=reduced.");
            }

            return found;
        }

        var memory = Offering("memory");
        var pids = Offering("pids");
        var cpu = Offering("cpu");
        var kill = new[] { memory, pids, cpu }.FirstOrDefault(h => h is { IsV2: true })
            ?? mounted.FirstOrDefault(h => !h.IsV2 && h.Controllers.Contains("freezer"))
            ?? mounted.FirstOrDefault(h => h.IsV2);

        return memory is null || pids is null || cpu is null
            ? null
            : new CgroupLayout(memory, pids, cpu, kill, $"ash-{serverId}");
    }

    /// <summary>Makes this server's folder in each hierarchy and lets v2 controllers reach the sandboxes' folders below it.</summary>
    /// <exception cref="SandboxException">A folder or a controller is not to be had.</exception>
    public void Prepare()
    {
        foreach (var hierarchy in Hierarchies)
        {
            var folder = ServerFolder(hierarchy);
            try
            {
                if (hierarchy.IsV2)
                {
                    Enable(hierarchy, hierarchy.MountPoint, mayMoveProcesses: true);
                    Directory.CreateDirectory(folder);
                    Enable(hierarchy, folder, mayMoveProcesses: false);
                }
                else
                {
                    Directory.CreateDirectory(folder);
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new SandboxException(
                    $"cgroups: {folder} cannot be prepared ({failure.Message}). The server needs a writable cgroup root: run it as "
                    + "root, in a container with a writable cgroup mount, or accept less with ASH_ISOLATION=reduced.",
                    failure);
            }
        }
    }

    /// <summary>Removes this server's folders, except where sandboxes live on in them.</summary>
    public void Leave()
    {
        foreach (var folder in Hierarchies.Select(ServerFolder).Where(Directory.Exists))
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
                // In use: the next server on this data folder finds them there.
            }
        }
    }

    public string ServerFolder(CgroupHierarchy hierarchy) => Path.Combine(hierarchy.MountPoint, _serverFolder);

    public string SandboxFolder(CgroupHierarchy hierarchy, string sandboxId) => Path.Combine(ServerFolder(hierarchy), sandboxId);

    public IReadOnlyList<string> SandboxFolders(string sandboxId) =>
        [.. Hierarchies.Select(hierarchy => SandboxFolder(hierarchy, sandboxId))];

    /// <summary>Every sandbox that has a cgroup of this server in some hierarchy.</summary>
    public IEnumerable<string> SandboxIds() =>
        Hierarchies
            .Select(ServerFolder)
            .Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories)
            .Select(folder => Path.GetFileName(folder)!)
            .Distinct();

    private IEnumerable<string> ControllersOf(CgroupHierarchy hierarchy)
    {
        if (hierarchy == Memory)
        {
            yield return "memory";
        }

        if (hierarchy == Pids)
        {
            yield return "pids";
        }

        if (hierarchy == Cpu)
        {
            yield return "cpu";
        }
    }

    private void Enable(CgroupHierarchy hierarchy, string folder, bool mayMoveProcesses)
    {
        var control = Path.Combine(folder, "cgroup.subtree_control");
        var enabled = File.ReadAllText(control).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var wanted = ControllersOf(hierarchy).Except(enabled).Select(name => $"+{name}").ToArray();
        if (wanted.Length == 0)
        {
            return;
        }

        try
        {
            File.WriteAllText(control, string.Join(' ', wanted));
        }
        catch (IOException) when (mayMoveProcesses && File.ReadAllText(Path.Combine(folder, "cgroup.procs")).Length > 0)
        {
            // In a container the mount's top is an ordinary cgroup: with processes of its own it may not have limited children.
            MoveProcesses(folder, Directory.CreateDirectory(Path.Combine(folder, "server")).FullName);
            File.WriteAllText(control, string.Join(' ', wanted));
        }
    }

    private static void MoveProcesses(string from, string to)
    {
        var target = Path.Combine(to, "cgroup.procs");
        foreach (var pid in File.ReadAllLines(Path.Combine(from, "cgroup.procs")))
        {
            try
            {
                File.WriteAllText(target, pid);
            }
            catch (IOException) when (!Directory.Exists($"/proc/{pid}"))
            {
                // It ended in between.
            }
        }
    }
}
