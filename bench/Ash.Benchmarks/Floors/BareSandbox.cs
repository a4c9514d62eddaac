using System.Diagnostics;
using Ash.Runner.Bubblewrap;
using Ash.Runner.Sandboxes;
using Ash.Testing;

namespace Ash.Benchmarks.Floors;

/// <summary><c>bwrap</c> with the product's own arguments, and <c>true</c> inside: no launcher, no cgroup, no bridge, no store.</summary>
internal sealed class BareSandbox : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ash-bench-").FullName;
    private readonly string[] _arguments;

    public BareSandbox()
    {
        var etc = MakeFolder("etc");
        foreach (var name in new[] { "passwd", "group", "nsswitch.conf", "hosts" })
        {
            MakeFile(Path.Combine("etc", name));
        }

        var profile = new SandboxProfile
        {
            Root = HostRoot.Read(),
            Limits = new SandboxLimits(),
            Etc = etc,
            Workspace = MakeFolder("workspace"),
            Home = MakeFolder("home"),
            Run = MakeFolder("run"),
            Cli = TestPaths.StandIn,
            Bridge = TestPaths.Bridge,
            Content = new AgentContent(MakeFile("CLAUDE.md"), MakeFolder("settings"), MakeFile("servers.json")),
        };

        // The places that content is mounted on.
        MakeFile("workspace/CLAUDE.md");
        MakeFolder("workspace/.claude");
        MakeFile("workspace/.mcp.json");
        _arguments = [.. BubblewrapArguments.Of(profile).SelectMany(option => option), "/usr/bin/true"];
    }

    public async Task RunAsync()
    {
        using var process = Process.Start("bwrap", _arguments);
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"bwrap exited with {process.ExitCode}.");
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string MakeFolder(string name) => Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;

    private string MakeFile(string name)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, string.Empty);
        return path;
    }
}
