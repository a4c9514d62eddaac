using System.Globalization;
using Ash.Protocol.Launch;

namespace Ash.Runner.Bubblewrap;

/// <summary>Bubblewrap's options for a profile. Their order matters: mounts are made one after the other.</summary>
/// <remarks>Bubblewrap 0.8 or later. Binds are nosuid and, but for <c>--dev</c>, nodev by themselves.</remarks>
internal static class BubblewrapArguments
{
    private static readonly string[] EtcFiles = ["passwd", "group", "nsswitch.conf", "hosts"];

    /// <summary>One line for each option with its values.</summary>
    public static IReadOnlyList<string[]> Of(SandboxProfile profile) =>
    [
        .. Namespaces(),
        .. Root(profile),
        .. ProcessesAndDevices(profile),
        .. OwnFolders(profile),

        // The last: everything above was mounted into it.
        ["--remount-ro", "/"],
        ["--chdir", SandboxPaths.Workspace],
    ];

    private static IEnumerable<string[]> Namespaces()
    {
        var uid = SandboxPaths.Uid.ToString(CultureInfo.InvariantCulture);
        return
        [
            ["--unshare-user"],
            ["--unshare-pid"],
            ["--unshare-net"],
            ["--unshare-ipc"],
            ["--unshare-uts"],
            ["--unshare-cgroup"],
            ["--disable-userns"],
            ["--new-session"],
            ["--cap-drop", "ALL"],
            ["--uid", uid],
            ["--gid", uid],
            ["--hostname", "sandbox"],
        ];
    }

    private static IEnumerable<string[]> Root(SandboxProfile profile) =>
    [
        ["--ro-bind", "/usr", "/usr"],
        .. profile.Root.Links.Select(link => new[] { "--symlink", link.Value, $"/{link.Key}" }),
        .. profile.Root.Folders.Select(name => new[] { "--ro-bind", $"/{name}", $"/{name}" }),

        // Parents that bubblewrap makes by itself are 0700.
        .. Folder("/etc"),
        .. Folder("/etc/ssl"),
        .. profile.Root.Shared.Select(path => new[] { "--ro-bind", path, path }),
        .. EtcFiles.Select(name => new[] { "--ro-bind", $"{profile.Etc}/{name}", $"/etc/{name}" }),
        .. Folder("/home"),
        .. Folder("/opt"),
        .. Folder("/opt/ash"),
        .. Folder("/run"),
        .. Folder("/var"),
        ["--symlink", "../tmp", "/var/tmp"],
    ];

    private static IEnumerable<string[]> ProcessesAndDevices(SandboxProfile profile)
    {
        // Together less than the limit: a full tmpfs cannot be freed by killing a process, so it would end the sandbox.
        const long MiB = 1024 * 1024;
        var temporary = profile.Limits.MemoryMb * MiB / 4;
        var shared = profile.Limits.MemoryMb * MiB / 8;
        return
        [
            ["--proc", "/proc"],
            .. profile.Root.GlobalProc.Select(path => new[] { "--ro-bind", path, path }),
            ["--dev", "/dev"],
            .. Temporary("/dev/shm", shared),
            ["--remount-ro", "/dev"],
            .. Temporary("/tmp", temporary),
        ];
    }

    private static IEnumerable<string[]> OwnFolders(SandboxProfile profile)
    {
        IEnumerable<string[]> content = profile.Content is { } agent
            ?
            [
                ["--ro-bind", agent.Instructions, $"{SandboxPaths.Workspace}/CLAUDE.md"],
                ["--ro-bind", agent.Settings, $"{SandboxPaths.Workspace}/.claude"],
                ["--ro-bind", agent.McpServers, $"{SandboxPaths.Workspace}/.mcp.json"],
            ]
            : [];
        return
        [
            ["--bind", profile.Home, SandboxPaths.Home],
            ["--bind", profile.Workspace, SandboxPaths.Workspace],
            .. content,
            ["--ro-bind", profile.Cli, SandboxPaths.Cli],
            ["--ro-bind", profile.Bridge, SandboxPaths.Bridge],
            ["--ro-bind", profile.Run, SandboxPaths.Run],
        ];
    }

    private static IEnumerable<string[]> Folder(string path) => [["--perms", "0755"], ["--dir", path]];

    private static IEnumerable<string[]> Temporary(string path, long bytes) =>
    [
        ["--perms", "1777"],
        ["--size", bytes.ToString(CultureInfo.InvariantCulture)],
        ["--tmpfs", path],
    ];
}
