namespace Ash.Runner.Bubblewrap;

/// <summary>How this machine lays out its programs; looked at once.</summary>
/// <param name="Links">Names at the root that are links into <c>/usr</c>, with their targets.</param>
/// <param name="Folders">Names at the root that are folders of programs or libraries of their own.</param>
/// <param name="Shared">Paths below <c>/etc</c> that programs need and that hold no secret.</param>
/// <param name="GlobalProc">Parts of <c>/proc</c> that are the machine's, not a process's.</param>
internal sealed record HostRoot(
    IReadOnlyList<KeyValuePair<string, string>> Links,
    IReadOnlyList<string> Folders,
    IReadOnlyList<string> Shared,
    IReadOnlyList<string> GlobalProc)
{
    private static readonly string[] ProgramFolders = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

    private static readonly string[] SharedFiles =
        ["/etc/ssl/certs", "/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types"];

    private static readonly string[] GlobalProcPaths =
        ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/acpi", "/proc/scsi", "/proc/driver"];

    public static HostRoot Read()
    {
        var links = new List<KeyValuePair<string, string>>();
        var folders = new List<string>();
        foreach (var name in ProgramFolders)
        {
            var folder = new DirectoryInfo($"/{name}");
            if (folder.LinkTarget is { } target)
            {
                links.Add(new(name, target.TrimStart('/')));
            }
            else if (folder.Exists)
            {
                folders.Add(name);
            }
        }

        return new HostRoot(links, folders, [.. SharedFiles.Where(Path.Exists)], [.. GlobalProcPaths.Where(Path.Exists)]);
    }
}
