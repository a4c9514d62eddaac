namespace Ash.Runner.Cgroups;

/// <summary>One mounted cgroup file system.</summary>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="IsV2">The unified hierarchy; its limits and its kill have other file names.</param>
/// <param name="Controllers">What it limits.</param>
internal sealed record CgroupHierarchy(string MountPoint, bool IsV2, IReadOnlyList<string> Controllers)
{
    /// <summary>Finds the mounted hierarchies in the text of <c>/proc/self/mountinfo</c>.</summary>
    /// <param name="mountInfo">The file's text.</param>
    /// <param name="readControllers">Reads <c>cgroup.controllers</c> of a v2 mount; null where it has none.</param>
    public static IReadOnlyList<CgroupHierarchy> Parse(string mountInfo, Func<string, string?> readControllers)
    {
        var found = new List<CgroupHierarchy>();
        foreach (var line in mountInfo.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // 36 35 98:0 /root /mount/point rw,options shared:1 - type source rw,super,options
            var halves = line.Split(" - ", 2);
            if (halves.Length != 2
                || halves[0].Split(' ') is not { Length: >= 6 } mount
                || halves[1].Split(' ') is not { Length: >= 3 } system)
            {
                continue;
            }

            var mountPoint = Unescape(mount[4]);
            if (mount[5].Split(',').Contains("ro"))
            {
                continue;
            }

            switch (system[0])
            {
                case "cgroup2":
                    found.Add(new CgroupHierarchy(mountPoint, IsV2: true, readControllers(mountPoint)?.Split(
                        [' ', '\n'], StringSplitOptions.RemoveEmptyEntries) ?? []));
                    break;
                case "cgroup":
                    found.Add(new CgroupHierarchy(mountPoint, IsV2: false, system[2].Split(',')));
                    break;
                default:
                    break;
            }
        }

        return found;
    }

    private static string Unescape(string path) =>
        path.Replace(@"\040", " ").Replace(@"\011", "\t").Replace(@"\012", "\n").Replace(@"\134", @"\");
}
