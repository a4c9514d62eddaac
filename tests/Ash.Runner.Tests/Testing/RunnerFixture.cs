using System.Collections.Concurrent;
using System.Diagnostics;
using Ash.Runner.Sandboxes;
using Ash.Runner.Workspaces;
using Microsoft.Extensions.Logging.Abstractions;

[assembly: AssemblyFixture(typeof(Ash.Runner.Tests.Testing.RunnerFixture))]

namespace Ash.Runner.Tests.Testing;

/// <summary>A real host with real sandboxes: the published bridge, bubblewrap, cgroups, as root.</summary>
public sealed class RunnerFixture : IAsyncLifetime
{
    private readonly ConcurrentBag<SandboxHost> _hosts = [];
    private int _lastUid = 1_800_000_000;

    public string Root { get; } = Directory.CreateTempSubdirectory("ash-rt-").FullName;

    public SandboxHostOptions Options { get; private set; } = null!; // Set before the first test.

    public SandboxHost Host { get; private set; } = null!;

    public WorkspaceStore Workspaces { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Options = MakeOptions("main", await FindBridgeAsync());
        Host = CreateHost(Options);
        Workspaces = new WorkspaceStore(Path.Combine(Root, "workspaces"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.RemoveStrangersAsync(new HashSet<string>(), CancellationToken.None);
            foreach (var folder in host.Plan("none").CgroupPaths)
            {
                // A host that leaves nothing takes the empty folder of its server along.
                if (Path.GetDirectoryName(folder) is { } parent && Directory.Exists(parent))
                {
                    Directory.Delete(parent);
                }
            }

            host.Dispose();
        }

        Directory.Delete(Root, recursive: true);
    }

    /// <summary>Another server's options on the same machine.</summary>
    public SandboxHostOptions MakeOptions(string name, string? bridge = null) => new()
    {
        DataDirectory = Directory.CreateDirectory(Path.Combine(Root, name)).FullName,
        RunDirectory = Path.Combine(Root, name, "run"),
        ServerId = $"rt-{Environment.ProcessId}-{name}",
        BridgeProgram = bridge ?? Options.BridgeProgram,
        CliProgram = FindCli(),
    };

    public SandboxHost CreateHost(SandboxHostOptions options)
    {
        var host = SandboxHost.Create(options, NullLoggerFactory.Instance, TimeProvider.System);
        if (!_hosts.Any(other => other.Options.ServerId == options.ServerId))
        {
            _hosts.Add(host);
        }

        return host;
    }

    public SandboxSpec MakeSpec(string? contentPath = null)
    {
        var uid = Interlocked.Increment(ref _lastUid);
        var workspace = Workspaces.Create(Guid.NewGuid().ToString(), uid, contentPath, copyAll: false);
        return new SandboxSpec
        {
            Id = SandboxId.Make(),
            Uid = uid,
            WorkspacePath = workspace.WorkPath,
            HomePath = workspace.HomePath,
            ContentPath = contentPath,
        };
    }

    /// <summary>A started sandbox whose bridge has been welcomed.</summary>
    internal async Task<TestSandbox> StartAsync(SandboxSpec? spec = null, SandboxHost? host = null)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        spec ??= MakeSpec();
        var sandbox = await (host ?? Host).StartAsync(spec, cancellationToken);
        return await TestSandbox.WelcomeAsync(sandbox, spec, acknowledged: 0, cancellationToken);
    }

    private static string FindCli()
    {
        var named = Environment.GetEnvironmentVariable("CLAUDE_CODE_EXECUTABLE");
        var home = Environment.GetEnvironmentVariable("HOME") ?? "/root";
        var installed = named ?? Path.Combine(home, ".cache/ash/claude", PinnedCli.Version, "claude");

        // Most tests never start it.
        return File.Exists(installed) ? installed : "/bin/true";
    }

    private static async Task<string> FindBridgeAsync()
    {
        if (Environment.GetEnvironmentVariable("ASH_BRIDGE_ENTRY") is { Length: > 0 } named)
        {
            return named;
        }

        var repository = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(repository.FullName, "Ash.slnx")))
        {
            repository = repository.Parent ?? throw new InvalidOperationException("The repository's root was not found.");
        }

        var output = Path.Combine(repository.FullName, "artifacts", "publish", "ash-bridge");
        var program = Path.Combine(output, "ash-bridge");
        if (!File.Exists(program))
        {
            using var publish = Process.Start(
                "dotnet", ["publish", Path.Combine(repository.FullName, "src", "Ash.Bridge"), "-c", "Release", "-r", "linux-x64", "-o", output, "-v", "q"]);
            await publish.WaitForExitAsync();
            Assert.Equal(0, publish.ExitCode);
        }

        return program;
    }
}
