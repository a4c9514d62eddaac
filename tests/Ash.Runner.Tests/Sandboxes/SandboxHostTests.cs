using Ash.Runner.Sandboxes;
using Ash.Runner.Tests.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ash.Runner.Tests.Sandboxes;

public sealed class SandboxHostTests(RunnerFixture runner)
{
    [Fact]
    public void EverythingThatIsMissing_IsNamedAtOnce_WithItsRemedy()
    {
        var options = runner.Options with
        {
            BridgeProgram = "/nowhere/ash-bridge", CliProgram = "/nowhere/claude", BubblewrapProgram = "/nowhere/bwrap",
        };

        var failure = Assert.Throws<SandboxException>(() => SandboxHost.Create(options, NullLoggerFactory.Instance, TimeProvider.System));

        Assert.Equal(3, failure.Message.Split('\n').Length);
        Assert.Contains("ASH_BRIDGE_ENTRY", failure.Message);
        Assert.Contains("CLAUDE_CODE_EXECUTABLE", failure.Message);
        Assert.Contains("apt-get install bubblewrap", failure.Message);
    }

    [Fact]
    public void APlan_MakesNothing()
    {
        var plan = runner.Host.Plan("abcdefghijkl");

        Assert.False(Directory.Exists(plan.SocketDirectory));
        Assert.All(plan.CgroupPaths, folder => Assert.False(Directory.Exists(folder)));
        Assert.NotEmpty(plan.CgroupPaths);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../escape")]
    [InlineData("UPPER")]
    public void AnIdThatCouldBeAPath_IsRefused(string id) =>
        Assert.Throws<ArgumentException>(() => runner.Host.Plan(id));

    [Fact]
    public async Task TheSelfTest_FindsNothingMissing_AndRemembersIt()
    {
        Assert.SkipUnless(runner.Options.CliProgram.EndsWith("claude", StringComparison.Ordinal), "the pinned CLI is not installed");
        var options = runner.MakeOptions("self");
        using var host = runner.CreateHost(options);

        Assert.Empty(await host.SelfTestAsync(TestContext.Current.CancellationToken));

        Assert.True(File.Exists(Path.Combine(options.DataDirectory, "self-test.json")));
        Assert.Empty(await host.SelfTestAsync(TestContext.Current.CancellationToken));
        Assert.Empty(Directory.EnumerateDirectories(options.RunDirectory));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(options.DataDirectory, "tmp"), "self-test-*"));
    }

    [Fact]
    public async Task TheSelfTest_NamesACliOfAnotherVersion()
    {
        using var host = runner.CreateHost(runner.MakeOptions("otherclaude") with { CliProgram = "/bin/true" });

        var missing = await host.SelfTestAsync(TestContext.Current.CancellationToken);

        Assert.Contains(PinnedCli.Version, Assert.Single(missing));
    }

    [Fact]
    public async Task TheSelfTest_SaysWhySandboxesDoNotStart()
    {
        using var host = runner.CreateHost(runner.MakeOptions("broken") with { BubblewrapProgram = "/bin/false" });

        var missing = await host.SelfTestAsync(TestContext.Current.CancellationToken);

        Assert.Contains(missing, line => line.Contains("could not be started", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ReducedIsolation_HasNoLimits_ButEverythingElse()
    {
        using var host = runner.CreateHost(runner.MakeOptions("reduced") with { Isolation = IsolationLevel.Reduced });
        Assert.Empty(host.Plan("abc").CgroupPaths);

        var sandbox = await runner.StartAsync(host: host);
        var status = await sandbox.ExecAsync("grep -E '^(CapEff|Seccomp:)' /proc/self/status | cut -f2; (setsid sleep 1000 >/dev/null 2>&1 &)");
        var owner = File.ReadLines($"/proc/{sandbox.Sandbox.Identity.BridgePid}/status").Single(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        await sandbox.DisposeAsync();

        Assert.Equal(["0000000000000000", "2"], status.Lines);
        Assert.Equal($"{sandbox.Spec.Uid}", owner.Split('\t')[1]);
        Assert.Equal(SandboxExit.Ended, await sandbox.Sandbox.Exited);
        Assert.Empty(Directory.EnumerateDirectories(host.Options.RunDirectory));
    }

    [Fact]
    public async Task ReducedIsolation_EndsWhatAnEarlierServerStarted_ByItsPids()
    {
        using var host = runner.CreateHost(runner.MakeOptions("reduced") with { Isolation = IsolationLevel.Reduced });
        var sandbox = await runner.StartAsync(host: host);
        await sandbox.ExecAsync("(setsid sleep 1000 >/dev/null 2>&1 &)");
        await sandbox.LetGoAsync();
        Assert.NotEmpty(ProcessesOf(sandbox.Spec));

        await host.EndAsync(sandbox.Sandbox.Identity with { BootId = "another" }, TestContext.Current.CancellationToken);
        Assert.NotEmpty(ProcessesOf(sandbox.Spec));
        await host.EndAsync(sandbox.Sandbox.Identity, TestContext.Current.CancellationToken);

        Assert.Empty(ProcessesOf(sandbox.Spec));
        Assert.False(Directory.Exists(host.Plan(sandbox.Spec.Id).SocketDirectory));
        await host.EndAsync(sandbox.Sandbox.Identity, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500)]
    public async Task ReducedIsolation_LeavesNothing_OfAStartThatFailed(int patienceMilliseconds)
    {
        var silent = Path.Combine(runner.Root, "mute-bridge");
        await File.WriteAllTextAsync(silent, """
            #!/bin/sh
            [ "$1" = launch ] && exec "$(dirname "$0")/real-bridge" "$@"
            exec sleep 1000
            """, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(silent, (UnixFileMode)0b111_101_101);
        File.Copy(runner.Options.BridgeProgram, Path.Combine(runner.Root, "real-bridge"), overwrite: true);
        using var host = runner.CreateHost(runner.MakeOptions("reduced") with
        {
            Isolation = IsolationLevel.Reduced,
            BridgeProgram = silent,
            StartTimeout = TimeSpan.FromMilliseconds(patienceMilliseconds),
        });
        var spec = runner.MakeSpec();

        await Assert.ThrowsAsync<SandboxException>(() => host.StartAsync(spec, TestContext.Current.CancellationToken));

        Assert.Empty(ProcessesOf(spec));
        Assert.Empty(Directory.EnumerateDirectories(host.Options.RunDirectory));
    }

    [Fact]
    public void AReportWithHoles_IsJudgedLineByLine()
    {
        var missing = SandboxProbe.Judge("""
            CapInh 0000000000000000
            CapPrm 0000000000000001
            CapEff 0000000000000000
            CapBnd 0000000000000000
            CapAmb 0000000000000000
            NoNewPrivs 0
            Seccomp 0
            user 0
            open /proc/sys/kernel/core_pattern
            interface lo
            interface eth0
            writable /workspace
            processes 200
            """).ToList();

        Assert.Equal(
            ["capabilities", "privileges", "seccomp", "user", "files", "network", "files", "files", "files", "processes", "bridge"],
            missing.Select(line => line.Split(':')[0]));
    }

    /// <summary>Pids of all that have the sandbox's folders mounted, from bubblewrap on, whether anything else holds them or not.</summary>
    private static IReadOnlyList<string> ProcessesOf(SandboxSpec spec) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(path => Path.GetFileName(path))
            .Where(name => int.TryParse(name, out _) && ReadMounts(name).Contains(spec.Id, StringComparison.Ordinal)),
    ];

    private static string ReadMounts(string pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/mountinfo");
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }
}
