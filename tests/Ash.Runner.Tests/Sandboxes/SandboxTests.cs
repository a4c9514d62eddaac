using System.Collections.Concurrent;
using Ash.Protocol.Bridge;
using Ash.Runner.Kernel;
using Ash.Runner.Sandboxes;
using Ash.Runner.Tests.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ash.Runner.Tests.Sandboxes;

public sealed class SandboxTests(RunnerFixture runner)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FrozenSandbox_StandsStill_UntilItIsThawedOrAdopted_AndCanBeEnded()
    {
        const string Tick = "(while :; do echo . >> ticks; done) >/dev/null 2>&1 & disown";
        await using var sandbox = await runner.StartAsync();
        await using var other = await runner.StartAsync();
        await sandbox.ExecAsync($"bash -c '{Tick}'");
        await other.ExecAsync($"bash -c '{Tick}'");
        await TickAsync(sandbox);

        Assert.True(await sandbox.Sandbox.FreezeAsync(Cancellation));
        var ticks = TicksOf(sandbox);
        await TickAsync(other);
        Assert.Equal(ticks, TicksOf(sandbox));
        sandbox.Sandbox.Thaw();
        await TickAsync(sandbox);

        await sandbox.Sandbox.FreezeAsync(Cancellation);
        await using var adopted = runner.CreateHost(runner.Options).Adopt(sandbox.Sandbox.Identity);
        await TickAsync(sandbox);

        await sandbox.Sandbox.FreezeAsync(Cancellation);
        await sandbox.Sandbox.KillAsync();
        await sandbox.Sandbox.Exited;

        static long TicksOf(TestSandbox sandbox) =>
            new FileInfo(Path.Combine(sandbox.Spec.WorkspacePath, "ticks")) is { Exists: true } file ? file.Length : 0;

        static async Task TickAsync(TestSandbox sandbox)
        {
            var before = TicksOf(sandbox);
            while (TicksOf(sandbox) < before + 1000)
            {
                Cancellation.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task Sandbox_RunsCommands_InItsWorkspace()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.ExecAsync("pwd; id -un; hostname; echo text > file");

        Assert.Equal(["/workspace", "agent", "sandbox"], result.Lines);
        Assert.Equal("text\n", await File.ReadAllTextAsync(Path.Combine(sandbox.Spec.WorkspacePath, "file"), Cancellation));
    }

    [Fact]
    public async Task OrdinaryPrograms_Work()
    {
        await using var sandbox = await runner.StartAsync();

        var result = await sandbox.ExecAsync("""
            set -e
            git init -q repo && cd repo && git config user.email a@b && git config user.name a
            echo one > a && git add a && git commit -qm one && git clone -q . ../copy && git gc -q && git fsck && cd ..
            python3 -c 'import subprocess, threading, sqlite3, asyncio, multiprocessing, tempfile, socket
            sqlite3.connect("/workspace/db").execute("create table t(x)")
            t = threading.Thread(target=print, args=("thread",)); t.start(); t.join()
            print(subprocess.check_output(["echo", "child"]).decode().strip())
            with multiprocessing.Pool(2) as pool: print(sum(pool.map(abs, [-1, -2])))
            a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1))
            async def main():
                server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
                r, w = await asyncio.open_connection(*server.sockets[0].getsockname()); print(await r.read())
            asyncio.run(main())'
            if command -v node >/dev/null; then node -e 'new (require("worker_threads").Worker)("require(\"fs\").writeFileSync(\"/tmp/w\", \"x\")", {eval: true}).on("exit", c => console.log("node", c))'; else echo "node 0"; fi
            """);

        Assert.Equal(0, result.Code);
        Assert.Equal(["thread", "child", "3", "b'x'", "b''", "node 0"], result.Lines);
    }

    [Fact]
    public async Task Content_IsReadOnly_AlsoWhereTheAgentHasNone()
    {
        var content = HostFiles.MakeFolder(Path.Combine(runner.Root, $"content-{Guid.NewGuid():N}"));
        await File.WriteAllTextAsync(Path.Combine(content, "CLAUDE.md"), "deployed", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(content, "data.txt"), "data", Cancellation);
        await using var sandbox = await runner.StartAsync(runner.MakeSpec(content));

        var result = await sandbox.ExecAsync("""
            cat CLAUDE.md data.txt; echo; wc -c < .mcp.json; ls -A .claude | wc -l
            for try in 'echo x > CLAUDE.md' 'rm -f CLAUDE.md' 'mv .claude moved' 'rmdir .claude' 'mkdir .claude/hooks' 'echo x > .claude/settings.json' \
                'echo x > .mcp.json' 'mv .mcp.json moved' 'mv CLAUDE.md moved' 'ln -sfn /tmp .claude/x' 'chmod 777 .claude' 'mount --bind /tmp .claude'; do
                (eval "$try") 2>/dev/null && echo "possible: $try"
            done
            echo changed > data.txt && cat data.txt
            """);

        Assert.Equal(["deployeddata", "0", "0", "changed"], result.Lines);
    }

    [Fact]
    public async Task PlacesOfContent_AreMadeReal_WhereTheAgentPlantedLinks()
    {
        var content = HostFiles.MakeFolder(Path.Combine(runner.Root, $"content-{Guid.NewGuid():N}"));
        var spec = runner.MakeSpec(content);
        var victim = Path.Combine(runner.Root, $"victim-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path.Combine(spec.WorkspacePath, "own", "hooks"));
        File.CreateSymbolicLink(Path.Combine(spec.WorkspacePath, ".claude"), "own");
        File.CreateSymbolicLink(Path.Combine(spec.WorkspacePath, "CLAUDE.md"), victim);
        Directory.CreateDirectory(Path.Combine(spec.WorkspacePath, ".mcp.json", "full"));

        await using var sandbox = await runner.StartAsync(spec);
        var result = await sandbox.ExecAsync("ls -A .claude; wc -c < CLAUDE.md; wc -c < .mcp.json; rm -rf .claude 2>/dev/null; test -d .claude && echo there");

        Assert.Equal(["0", "0", "there"], result.Lines);
        Assert.False(File.Exists(victim));
    }

    [Theory]
    [InlineData("CLAUDE.md")]
    [InlineData(".claude")]
    [InlineData(".mcp.json")]
    public async Task ContentThatIsALink_IsRefused(string name)
    {
        var content = HostFiles.MakeFolder(Path.Combine(runner.Root, $"content-{Guid.NewGuid():N}"));
        File.CreateSymbolicLink(Path.Combine(content, name), name == ".claude" ? "/etc" : "/etc/shadow");

        var failure = await Assert.ThrowsAsync<SandboxException>(
            () => runner.Host.StartAsync(runner.MakeSpec(content), Cancellation));

        Assert.Contains(name, failure.Message);
    }

    [Fact]
    public async Task Kill_LeavesNothing_OfDaemonsThatLeftTheirSession()
    {
        var sandbox = await runner.StartAsync();
        await sandbox.ExecAsync("for i in 1 2 3 4 5; do (setsid sh -c 'setsid sleep 1000 & setsid sleep 1000 &' >/dev/null 2>&1 &); done");
        var plan = runner.Host.Plan(sandbox.Spec.Id);
        var processes = plan.CgroupPaths.SelectMany(folder => File.ReadAllLines(Path.Combine(folder, "cgroup.procs"))).Distinct().ToList();

        await sandbox.DisposeAsync();

        Assert.True(processes.Count >= 7);
        Assert.Equal(SandboxExit.Ended, await sandbox.Sandbox.Exited);
        Assert.All(plan.CgroupPaths, folder => Assert.False(Directory.Exists(folder)));
        Assert.False(Directory.Exists(plan.SocketDirectory));
        Assert.All(processes, pid => Assert.False(IsAlive(pid)));
        await sandbox.Sandbox.KillAsync();
    }

    [Fact]
    public async Task Kill_EndsAForkBomb()
    {
        var sandbox = await runner.StartAsync();
        await sandbox.SendAsync(new Exec("bomb", "python3 -c 'import os\nwhile True:\n try: os.fork()\n except OSError: pass'", 60_000));
        await sandbox.ExecAsync("true");

        await sandbox.DisposeAsync();

        Assert.All(runner.Host.Plan(sandbox.Spec.Id).CgroupPaths, folder => Assert.False(Directory.Exists(folder)));
    }

    [Fact]
    public async Task Exited_Completes_WhenTheBridgeIsKilled()
    {
        await using var sandbox = await runner.StartAsync();
        using var bridge = ProcessHandle.TryOpen(sandbox.Sandbox.Identity.BridgePid)!;

        bridge.Kill();

        Assert.Equal(SandboxExit.Ended, await sandbox.Sandbox.Exited.WaitAsync(Cancellation));
    }

    [Fact]
    public async Task Exited_Completes_WhenTheBridgeShutsDown()
    {
        await using var sandbox = await runner.StartAsync();

        await sandbox.SendAsync(new Shutdown("end"));

        Assert.Equal(SandboxExit.Ended, await sandbox.Sandbox.Exited.WaitAsync(Cancellation));
        Assert.False(await sandbox.Sandbox.Connections.WaitToReadAsync(Cancellation));
    }

    [Fact]
    public async Task Sandbox_OutlivesItsOuterBubblewrap()
    {
        await using var sandbox = await runner.StartAsync();
        using var launcher = ProcessHandle.TryOpen(sandbox.Sandbox.Identity.LauncherPid)!;

        launcher.Kill();

        Assert.Equal("alive\n", (await sandbox.ExecAsync("echo alive")).Output);
        Assert.False(sandbox.Sandbox.Exited.IsCompleted);
    }

    [Fact(Timeout = 30_000)]
    public async Task TheBridge_IsLetInAgain_WhenItsConnectionBreaks()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var sandbox = await runner.Host.StartAsync(runner.MakeSpec(), cancellationToken);
        try
        {
            for (var time = 0; time < 3; time++)
            {
                await using var connection = await sandbox.Connections.ReadAsync(cancellationToken);
                await connection.SendAsync(new Welcome(0), default, cancellationToken);
            }

            Assert.False(sandbox.Exited.IsCompleted);
        }
        finally
        {
            await sandbox.KillAsync();
        }
    }

    [Fact]
    public async Task AnotherServer_Adopts_WhatTheFirstLetGoOf()
    {
        var options = runner.MakeOptions("adopting");
        var spec = runner.MakeSpec();
        SandboxIdentity identity;
        long acknowledged;
        using (var first = runner.CreateHost(options))
        {
            var started = await runner.StartAsync(spec, first);
            await started.ExecAsync("echo before > file; setsid sleep 1000 >/dev/null 2>&1 &");
            identity = started.Sandbox.Identity;
            await started.LetGoAsync();
            acknowledged = started.LastNumber;
        }

        using var second = runner.CreateHost(options);
        var sandbox = second.Adopt(identity);
        Assert.NotNull(sandbox);
        await using var adopted = await TestSandbox.WelcomeAsync(sandbox, spec, acknowledged, Cancellation);
        var result = await adopted.ExecAsync("cat file; pgrep -c sleep || ls /proc | grep -c '^[0-9]'");

        Assert.Equal("before", result.Lines[0]);
        await second.RemoveStrangersAsync(new HashSet<string> { identity.Id }, Cancellation);
        Assert.Equal(0, (await adopted.ExecAsync("true")).Code);

        await adopted.DisposeAsync();
        Assert.Null(second.Adopt(identity));
        Assert.All(second.Plan(identity.Id).CgroupPaths, folder => Assert.False(Directory.Exists(folder)));
    }

    [Fact]
    public async Task Adoption_IsRefused_WhereThePidIsNoLongerTheSameProcess()
    {
        await using var sandbox = await runner.StartAsync();
        var identity = sandbox.Sandbox.Identity;

        Assert.Null(runner.Host.Adopt(identity with { BridgeStart = identity.BridgeStart + 1 }));
        Assert.Null(runner.Host.Adopt(identity with { BootId = "another" }));
        Assert.Null(runner.Host.Adopt(identity with { BridgePid = 1 }));
        Assert.Equal(0, (await sandbox.ExecAsync("true")).Code);
    }

    [Fact]
    public async Task Strangers_AreRemoved_AndOthersStay()
    {
        var options = runner.MakeOptions("strange");
        using var host = runner.CreateHost(options);
        await using var known = await runner.StartAsync(host: host);
        var stranger = await runner.StartAsync(host: host);
        await using var elsewhere = await runner.StartAsync();
        await stranger.LetGoAsync();

        await host.RemoveStrangersAsync(new HashSet<string> { known.Spec.Id }, Cancellation);

        var plan = host.Plan(stranger.Spec.Id);
        Assert.All(plan.CgroupPaths, folder => Assert.False(Directory.Exists(folder)));
        Assert.False(Directory.Exists(plan.SocketDirectory));
        Assert.Null(ProcessHandle.TryOpen(stranger.Sandbox.Identity.BridgePid, stranger.Sandbox.Identity.BridgeStart));
        Assert.Equal(0, (await known.ExecAsync("true")).Code);
        Assert.Equal(0, (await elsewhere.ExecAsync("true")).Code);
    }

    [Fact]
    public async Task AStrangerThatDoesNotEnd_KeepsNoOtherFromIt()
    {
        Assert.SkipUnless(Freezer.IsAvailable, "this machine has no v1 freezer");
        using var host = SandboxHost.Create(runner.MakeOptions("stubborn"), NullLoggerFactory.Instance, new LeapingClock());
        var strangers = new List<ISandbox>();
        for (var i = 0; i < 3; i++)
        {
            strangers.Add(await host.StartAsync(runner.MakeSpec(), Cancellation));
            await strangers[i].DisposeAsync();
        }

        using (var freezer = new Freezer())
        {
            freezer.Hold(strangers[1].Identity.BridgePid);

            await host.RemoveStrangersAsync(new HashSet<string>(), Cancellation);

            Assert.Equal(
                [false, true, false],
                strangers.Select(stranger => host.Plan(stranger.Identity.Id).CgroupPaths.Any(Directory.Exists)));
        }

        await host.RemoveStrangersAsync(new HashSet<string>(), Cancellation);
        Assert.All(strangers, stranger => AssertNothingLeft(host, stranger.Identity.Id));
    }

    [Fact]
    public async Task AKillThatFails_MayBeRepeated()
    {
        Assert.SkipUnless(Freezer.IsAvailable, "this machine has no v1 freezer");
        using var host = SandboxHost.Create(runner.MakeOptions("stubborn-kill"), NullLoggerFactory.Instance, new LeapingClock());
        await using var sandbox = await host.StartAsync(runner.MakeSpec(), Cancellation);
        using (var freezer = new Freezer())
        {
            freezer.Hold(sandbox.Identity.BridgePid);

            var failure = await Assert.ThrowsAsync<SandboxException>(sandbox.KillAsync);

            Assert.Contains($"{sandbox.Identity.BridgePid}", failure.Message);
            Assert.False(sandbox.Exited.IsCompleted);
        }

        await sandbox.KillAsync();
        Assert.Equal(SandboxExit.Ended, await sandbox.Exited.WaitAsync(Cancellation));
        AssertNothingLeft(host, sandbox.Identity.Id);
    }

    [Fact]
    public async Task AFailedStart_SaysWhy_AndLeavesNothing()
    {
        using var host = runner.CreateHost(runner.Options with { BubblewrapProgram = "/bin/false" });
        var spec = runner.MakeSpec();

        var failure = await Assert.ThrowsAsync<SandboxException>(() => host.StartAsync(spec, Cancellation));

        Assert.Contains("could not be started", failure.Message);
        AssertNothingLeft(host, spec.Id);
    }

    [Fact]
    public async Task AFailureOfTheLauncher_ReachesTheMessage()
    {
        var cli = Path.Combine(runner.Root, "vanishing-cli");
        await File.WriteAllTextAsync(cli, "x", Cancellation);
        using var host = runner.CreateHost(runner.Options with { CliProgram = cli });
        File.Delete(cli);
        var spec = runner.MakeSpec();

        var failure = await Assert.ThrowsAsync<SandboxException>(() => host.StartAsync(spec, Cancellation));

        Assert.Contains(cli, failure.Message);
        AssertNothingLeft(host, spec.Id);
    }

    [Fact]
    public async Task ABridgeThatNeverSaysHello_IsGivenUp()
    {
        var silent = Path.Combine(runner.Root, "silent-bridge");
        await File.WriteAllTextAsync(silent, "#!/bin/sh\necho waiting; exec sleep 1000\n", Cancellation);
        File.SetUnixFileMode(silent, (UnixFileMode)0b111_101_101);
        using var host = SandboxHost.Create(
            runner.Options with { BridgeProgram = silent }, NullLoggerFactory.Instance, new ImpatientClock());
        var spec = runner.MakeSpec();

        var failure = await Assert.ThrowsAsync<SandboxException>(() => host.StartAsync(spec, Cancellation));

        Assert.Contains("did not say hello", failure.Message);
        AssertNothingLeft(host, spec.Id);
    }

    [Fact]
    public async Task ACancelledStart_LeavesNothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var spec = runner.MakeSpec();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runner.Host.StartAsync(spec, cancelled.Token));

        AssertNothingLeft(runner.Host, spec.Id);
    }

    [Fact]
    public async Task ManyStartsAndKills_LeaveNoDescriptor_NoFolder_NoCgroup_NoZombie()
    {
        using var host = runner.CreateHost(runner.MakeOptions("leaks"));
        await CycleAsync(host, 3);
        var before = OpenDescriptors();

        var identities = await CycleAsync(host, 30);

        // Other tests of this process open some meanwhile; a leak would be one a start, thirty.
        Assert.InRange(OpenDescriptors(), 0, before + 20);
        Assert.Empty(Directory.EnumerateDirectories(host.Options.RunDirectory));
        Assert.Empty(Directory.EnumerateDirectories(Path.Combine(host.Options.DataDirectory, "tmp"), "launch-*"));
        foreach (var folder in host.Plan("none").CgroupPaths)
        {
            Assert.Empty(Directory.EnumerateDirectories(Path.GetDirectoryName(folder)!));
        }

        Assert.Equal(30, identities.Count);
        Assert.All(identities, identity => Assert.NotEqual(identity.LauncherStart, ProcessStart.Read(identity.LauncherPid)));
        Assert.All(identities, identity => Assert.NotEqual(identity.BridgeStart, ProcessStart.Read(identity.BridgePid)));
    }

    [Fact]
    public Task HostUserZero_IsRefused() =>
        Assert.ThrowsAsync<SandboxException>(() => runner.Host.StartAsync(runner.MakeSpec() with { Uid = 0 }, Cancellation));

    private static void AssertNothingLeft(SandboxHost host, string id)
    {
        var plan = host.Plan(id);
        Assert.All(plan.CgroupPaths, folder => Assert.False(Directory.Exists(folder)));
        Assert.False(Directory.Exists(plan.SocketDirectory));
        Assert.False(Directory.Exists(Path.Combine(host.Options.DataDirectory, "tmp", $"launch-{id}")));
    }

    private async Task<IReadOnlyCollection<SandboxIdentity>> CycleAsync(SandboxHost host, int times)
    {
        var identities = new ConcurrentBag<SandboxIdentity>();
        await Parallel.ForEachAsync(Enumerable.Range(0, times), new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (_, _) =>
        {
            await using var sandbox = await runner.StartAsync(host: host);
            identities.Add(sandbox.Sandbox.Identity);
        });
        return identities;
    }

    private static bool IsAlive(string pid) =>
        File.Exists($"/proc/{pid}/stat") && !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ", StringComparison.Ordinal);

    private static int OpenDescriptors() => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
}
