using Ash.Runner.Sandboxes;
using Ash.Runner.Tests.Testing;

namespace Ash.Runner.Tests.Cgroups;

public sealed class LimitTests(RunnerFixture runner)
{
    [Fact]
    public async Task AProcessAboveTheMemoryLimit_IsKilledAlone()
    {
        await using var sandbox = await runner.StartAsync(
            runner.MakeSpec() with { Limits = new SandboxLimits(MemoryMb: 128) });

        var hog = await sandbox.PythonAsync("""
            parts = []
            while True: parts.append(bytearray(b'x' * (8 << 20)))
            """);

        Assert.Equal(128 + 9, hog.Code);
        Assert.Equal(1, sandbox.Sandbox.ReadUsage()!.OutOfMemoryKills);
        Assert.Equal("alive\n", (await sandbox.ExecAsync("echo alive")).Output);
        Assert.False(sandbox.Sandbox.Exited.IsCompleted);
    }

    [Fact]
    public async Task AFullTemporaryFolder_EndsNothing()
    {
        await using var sandbox = await runner.StartAsync(
            runner.MakeSpec() with { Limits = new SandboxLimits(MemoryMb: 128) });

        var full = await sandbox.ExecAsync("head -c 1G /dev/zero > /tmp/full; head -c 1G /dev/zero > /dev/shm/full; du -m /tmp/full /dev/shm/full");

        Assert.Contains("No space left", full.Error);
        Assert.Equal(["32\t/tmp/full", "16\t/dev/shm/full"], full.Lines);
        Assert.Equal("alive\n", (await sandbox.ExecAsync("rm /tmp/full; echo alive")).Output);
    }

    [Fact]
    public async Task AForkBomb_IsStopped_AndOthersDoNotNotice()
    {
        await using var bombed = await runner.StartAsync(runner.MakeSpec() with { Limits = new SandboxLimits(Pids: 64) });
        await using var other = await runner.StartAsync();

        var bomb = await bombed.PythonAsync("""
            import os, time
            made = 0
            while True:
                try:
                    if os.fork() == 0: time.sleep(1000)
                    made += 1
                except OSError as e:
                    print(0 < made < 64, e.strerror, flush=True); os._exit(0)
            """);

        Assert.Equal("True Resource temporarily unavailable\n", bomb.Output);
        Assert.InRange(bombed.Sandbox.ReadUsage()!.Tasks, 1, 64);
        Assert.Equal("fine\n", (await other.ExecAsync("echo fine")).Output);
    }

    [Fact]
    public async Task Limits_AreThoseOfTheSpec()
    {
        var spec = runner.MakeSpec() with { Limits = new SandboxLimits(MemoryMb: 300, Cpus: 0.5, Pids: 77) };
        await using var sandbox = await runner.StartAsync(spec);

        var values = runner.Host.Plan(spec.Id).CgroupPaths
            .SelectMany(folder => Directory.EnumerateFiles(folder))
            .Where(file => Path.GetFileName(file) is
                "memory.limit_in_bytes" or "memory.memsw.limit_in_bytes" or "pids.max" or "cpu.cfs_quota_us" or "cpu.max" or "memory.max")
            .ToDictionary(file => Path.GetFileName(file)!, file => File.ReadAllText(file).Trim());

        Assert.Equal("77", values["pids.max"]);
        Assert.Equal("314572800", values.GetValueOrDefault("memory.max") ?? values["memory.limit_in_bytes"]);
        Assert.Contains(values.GetValueOrDefault("cpu.max") ?? values["cpu.cfs_quota_us"], new[] { "50000", "50000 100000" });
        Assert.Equal("314572800", values.GetValueOrDefault("memory.memsw.limit_in_bytes", "314572800"));
    }

    [Fact]
    public async Task ASandboxWhoseBridgeIsKilledForItsMemory_SaysSo()
    {
        await using var sandbox = await runner.StartAsync(
            runner.MakeSpec() with { Limits = new SandboxLimits(MemoryMb: 256) });

        var gate = Path.Combine(sandbox.Spec.WorkspacePath, "gate");
        await sandbox.ExecAsync("mkfifo -m 666 gate");
        var hog = sandbox.PythonAsync("open('/workspace/gate').read(); x = bytearray(b'x' * (512 << 20))");

        // The kernel would choose the hog; for once it is told to choose the bridge. Opening the pipe waits for the hog, which
        // exists by then and does not inherit the choice.
        using (await Task.Run(() => File.OpenHandle(gate, FileMode.Open, FileAccess.Write), TestContext.Current.CancellationToken))
        {
            await File.WriteAllTextAsync(
                $"/proc/{sandbox.Sandbox.Identity.BridgePid}/oom_score_adj", "1000", TestContext.Current.CancellationToken);
        }

        await Assert.ThrowsAsync<IOException>(() => hog);
        Assert.Equal(SandboxExit.OutOfMemory, await sandbox.Sandbox.Exited.WaitAsync(TestContext.Current.CancellationToken));
    }
}
