using System.Diagnostics;
using System.Text.Json;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.CommandLine;

/// <summary>A home folder of its own, in which the published <c>ash</c> runs as a user would run it.</summary>
internal sealed class AshHome : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("ash-home-").FullName;

    /// <summary>Set over what the tests themselves were started with; of that, nothing about Ash or a model is passed on.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public string ConfigFile => Path.Combine(Folder, ".ash", "config.json");

    /// <summary>A home whose commands go to a server, with its key.</summary>
    public static AshHome Of(AshServer server)
    {
        var home = new AshHome();
        home.Environment["ASH_SERVER_URL"] = server.Url.ToString();
        home.Environment["ASH_API_KEY"] = server.ApiKey;
        return home;
    }

    /// <summary>Lets <c>ash start</c> find the published programs and the pinned CLI.</summary>
    public void UsePublishedPrograms()
    {
        Environment["ASH_SERVER_ENTRY"] = TestPaths.Server;
        Environment["ASH_BRIDGE_ENTRY"] = TestPaths.Bridge;
        Environment["XDG_CACHE_HOME"] = System.Environment.GetEnvironmentVariable("XDG_CACHE_HOME")
            ?? Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".cache");
    }

    public AshProcess Start(params string[] args) => new(Describe(Command(args)));

    /// <summary>Runs it at a terminal, whose screen is the output and whose keyboard is <see cref="AshProcess.TypeAsync"/>.</summary>
    public AshProcess StartOnTerminal(params string[] args)
    {
        const string Terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
        var start = Describe(["python3", "-c", Terminal, .. Command(args)]);
        start.RedirectStandardInput = true;
        return new AshProcess(start);
    }

    /// <summary>Runs a script of bash, which finds <c>ash</c>; gives its output.</summary>
    public async Task<string> ShellAsync(string script)
    {
        var start = Describe(["bash", "--norc", script]);
        start.Environment["PATH"] = $"{Path.GetDirectoryName(TestPaths.Ash)}:{System.Environment.GetEnvironmentVariable("PATH")}";
        using var process = new AshProcess(start);
        var run = await process.EndAsync();
        Assert.True(run.ExitCode == 0, run.Error);
        return run.Out;
    }

    public async Task<AshRun> RunAsync(params string[] args)
    {
        using var process = Start(args);
        return await process.EndAsync();
    }

    /// <summary>Runs a command that must succeed, and gives its output.</summary>
    public async Task<string> OutputOfAsync(params string[] args)
    {
        var run = await RunAsync(args);
        Assert.True(run.ExitCode == 0, $"ash {string.Join(' ', args)} exited with {run.ExitCode}: {run.Error}");
        return run.Out;
    }

    /// <summary>Deploys an example and makes a session with it; gives the session's id.</summary>
    public async Task<string> CreateSessionAsync(string example = "hello-agent")
    {
        await OutputOfAsync("deploy", TestPaths.Example(example));
        return (await OutputOfAsync("session", "create", example, "--quiet")).Trim();
    }

    public string? Config(string name)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(ConfigFile));
        return config.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>The environment in which a user's shell would start it.</summary>
    public void Apply(IDictionary<string, string?> variables)
    {
        foreach (var name in variables.Keys.Where(name => name.StartsWith("ASH_", StringComparison.Ordinal)).ToList())
        {
            variables.Remove(name);
        }

        variables.Remove("ANTHROPIC_API_KEY");
        variables["HOME"] = Folder;
        variables["NO_COLOR"] = "1";
        foreach (var (name, value) in Environment)
        {
            variables[name] = value;
        }
    }

    // A job in the background of a shell, as a test run may be one, ignores SIGINT, and its children inherit that.
    private static string[] Command(string[] args) => ["env", "--default-signal=INT", TestPaths.Ash, .. args];

    private ProcessStartInfo Describe(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        Apply(start.Environment);
        return start;
    }
}
