using System.Diagnostics;
using System.Text.Json;
using Ash.Bridge.Tests.Sandboxes;
using Ash.Protocol.Bridge;
using Ash.Protocol.Launch;

namespace Ash.Bridge.Tests.Launch;

public sealed class LauncherTests(PublishedBridge bridge) : SandboxTests(bridge), IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ash-launch-").FullName;

    [Fact]
    public async Task Sandbox_HasNoHostRoot_NoEnvironment_NoCapability_AndNothingOfTheServers()
    {
        var mountsBefore = await File.ReadAllTextAsync("/proc/self/mountinfo", Deadline.Token);
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);
        await server.AskAsync(Script("start", "sleep 1000"));

        Assert.Equal(mountsBefore, await File.ReadAllTextAsync("/proc/self/mountinfo", Deadline.Token));
        Assert.Equal("PWD=/\0", await File.ReadAllTextAsync($"/proc/{sandbox.BridgePid}/environ", Deadline.Token));
        Assert.Equal("0000000000000000", sandbox.HostStatus("CapEff").Single());
        Assert.Equal("2", sandbox.HostStatus("Seccomp").Single());
        Assert.All(TreeOf(sandbox.LauncherPid), process => Assert.Equal(UidOfSandbox, UidsOf(process)));
        Assert.True(TreeOf(sandbox.LauncherPid).Count >= 3); // Bubblewrap, the bridge, the CLI.

        var targets = Directory.GetFiles($"/proc/{sandbox.BridgePid}/fd")
            .Select(file => File.ResolveLinkTarget(file, returnFinalTarget: false)?.Name ?? "")
            .Where(target => !target.StartsWith("socket:") && !target.StartsWith("pipe:") && !target.Contains("eventfd"));
        Assert.All(targets, target => Assert.Contains(target, (string[])["null", "urandom"]));
    }

    [Fact]
    public async Task Launcher_KeepsItsPid_AndItsFilesArePrivate()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();

        Assert.Equal("bwrap\n", await File.ReadAllTextAsync($"/proc/{sandbox.LauncherPid}/comm", Deadline.Token));
        Assert.Equal(sandbox.LauncherPid.ToString(), sandbox.HostStatus("PPid").Single());
        foreach (var name in (string[])["log", "info"])
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(sandbox.Folder, name)));
        }

        await server.SendAsync(new Exec("e", "touch /run/ash/x || touch /usr/x || touch /x || echo read-only; touch here && echo written", 10_000));
        var frames = await server.AllUntilAsync<ExecExited>();
        Assert.Equal("read-only\nwritten\n", string.Concat(frames.Where(f => f.Header is ExecOutput { Stream: "stdout" }).Select(f => f.Text)));
    }

    [Theory]
    [InlineData("uid", "a sandbox never runs as uid 0")]
    [InlineData("cgroup", "open /no/such/cgroup/tasks: No such file or directory")]
    [InlineData("source", "open /no/such/source: No such file or directory")]
    [InlineData("name", "'../etc' is no name below /mnt")]
    [InlineData("arguments", "open arguments file /no/such/arguments: No such file or directory")]
    [InlineData("bubblewrap", "execve /no/such/bwrap: No such file or directory")]
    public async Task Failure_IsOneLineThatNamesTheStep(string what, string message)
    {
        var spec = Spec();
        spec = what switch
        {
            "uid" => spec with { Uid = 0 },
            "cgroup" => spec with { CgroupFiles = ["/no/such/cgroup/tasks"] },
            "source" => spec with { Binds = [new("/no/such/source", "source", ReadOnly: true)] },
            "name" => spec with { Binds = [new("/usr", "../etc", ReadOnly: true)] },
            "arguments" => spec with { ArgumentsFile = "/no/such/arguments" },
            _ => spec with { Bubblewrap = "/no/such/bwrap" },
        };

        var (code, errors) = await LaunchAsync(spec);

        Assert.Equal(70, code);
        Assert.EndsWith(message + "\n", errors);
        Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task SpecThatIsNone_IsRefused()
    {
        var file = Path.Combine(_folder, "spec.json");
        await File.WriteAllTextAsync(file, "{}", Deadline.Token);

        var (code, errors) = await RunAsync(file);

        Assert.Equal(70, code);
        Assert.StartsWith($"ash-bridge: read spec {file}: ", errors);
    }

    [Fact]
    public async Task ReducedIsolation_StagesNothing_AndStaysTheSameUser()
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Shows uid 0, which only root has.");
        var report = Path.Combine(_folder, "report");
        var spec = Spec() with
        {
            Uid = null,
            Binds = [new("/usr", "usr", ReadOnly: true)],
            Bubblewrap = WriteProgram(
                $"{{ id -u; echo \"$1 $8 $9\"; [ -e /mnt/usr ] || echo nothing staged; [ -z \"$CANARY\" ] && echo no environment; }} > {report}"),
        };

        var (code, errors) = await LaunchAsync(spec);

        Assert.Equal((0, ""), (code, errors));
        Assert.Equal(
            "0\n--as-pid-1 -- /bin/true\nnothing staged\nno environment\n",
            await File.ReadAllTextAsync(report, Deadline.Token));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string UidOfSandbox => string.Join(' ', Enumerable.Repeat(TestSandbox.Uid, 4));

    private static List<int> TreeOf(int process)
    {
        var children = Directory.GetDirectories("/proc")
            .Select(Path.GetFileName)
            .Where(name => int.TryParse(name, out _))
            .Select(name => int.Parse(name ?? ""))
            .ToLookup(ParentOf);
        return [process, .. children[process].SelectMany(TreeOf)];
    }

    private static int ParentOf(int process)
    {
        try
        {
            return int.Parse(FieldOf(process, "PPid"));
        }
        catch (IOException)
        {
            return 0; // It has ended meanwhile.
        }
    }

    private static string UidsOf(int process) => FieldOf(process, "Uid").Replace('\t', ' ');

    private static string FieldOf(int process, string name) =>
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(name + ":\t"))[(name.Length + 2)..];

    private LaunchSpec Spec()
    {
        foreach (var name in (string[])["arguments", "filter"])
        {
            File.WriteAllText(Path.Combine(_folder, name), "");
        }

        return new()
        {
            Uid = TestSandbox.Uid,
            CgroupFiles = [],
            Binds = [],
            Bubblewrap = "/usr/bin/bwrap",
            ArgumentsFile = Path.Combine(_folder, "arguments"),
            SeccompFile = Path.Combine(_folder, "filter"),
            InfoFile = Path.Combine(_folder, "info"),
            LogFile = Path.Combine(_folder, "log"),
            Command = ["/bin/true", "argument"],
        };
    }

    private string WriteProgram(string script)
    {
        var file = Path.Combine(_folder, "program");
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(file, (UnixFileMode)0x1ed);
        return file;
    }

    private async Task<(int Code, string Errors)> LaunchAsync(LaunchSpec spec)
    {
        var file = Path.Combine(_folder, "spec.json");
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(spec, LaunchJson.Default.LaunchSpec), Deadline.Token);
        return await RunAsync(file);
    }

    private async Task<(int Code, string Errors)> RunAsync(string file)
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Needs root.");
        using var launcher = Process.Start(new ProcessStartInfo(Bridge.Path, ["launch", file]) { RedirectStandardError = true, Environment = { ["CANARY"] = "x" } })
            ?? throw new InvalidOperationException("The launcher did not start.");
        var errors = await launcher.StandardError.ReadToEndAsync(Deadline.Token);
        await launcher.WaitForExitAsync(Deadline.Token);
        return (launcher.ExitCode, errors);
    }
}
