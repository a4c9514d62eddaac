using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;
using Ash.Runner.Sandboxes;
using Ash.Runner.Tests.Testing;

namespace Ash.Runner.Tests.Cgroups;

/// <summary>The three ways to end a cgroup's processes, each on this machine's own hierarchies where it has them.</summary>
public sealed class SandboxCgroupsTests
{
    public enum Kill
    {
        Unified,
        Freezer,
        OneByOne,
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Kill.Unified)]
    [InlineData(Kill.Freezer)]
    [InlineData(Kill.OneByOne)]
    public async Task Removal_EndsAForkBomb_AndLeavesNoFolder(Kill kill)
    {
        var layout = LayoutFor(kill);
        Assert.SkipWhen(layout is null, "this machine has no hierarchy for it");
        layout.Prepare();
        var groups = new SandboxCgroups(layout, "bomb");
        groups.Create(new SandboxLimits(MemoryMb: 256, Pids: 100));
        var output = Path.GetTempFileName();
        using var watcher = new ProcessWatcher();
        var join = string.Join(" && ", groups.JoinFiles.Select(file => $"echo 0 > {file}"));
        using var bomb = ChildProcess.Start("/bin/bash", ["-c", $"{join} && f() {{ f | f & f; }}; f"], output);
        using var watch = watcher.Start(bomb);
        while (groups.ReadUsage().Tasks < 90 && !watch.Ended.IsCompleted)
        {
            await Task.Yield();
        }

        await groups.RemoveAsync(TimeProvider.System, Cancellation);

        await watch.Ended.WaitAsync(Cancellation);
        bomb.TryReap();
        Assert.All(groups.Folders, folder => Assert.False(Directory.Exists(folder)));
        Assert.Empty(groups.Processes());
        Assert.Equal(new SandboxUsage(0, 0, 0), groups.ReadUsage());
        await groups.RemoveAsync(TimeProvider.System, Cancellation);
        foreach (var hierarchy in layout.Hierarchies)
        {
            Directory.Delete(layout.ServerFolder(hierarchy));
        }

        File.Delete(output);
    }

    [Theory]
    [InlineData(Kill.Unified)]
    [InlineData(Kill.Freezer)]
    [InlineData(Kill.OneByOne)]
    public async Task Removal_TakesAlong_WhatWasMadeBelow(Kill kill)
    {
        var layout = LayoutFor(kill);
        Assert.SkipWhen(layout is null, "this machine has no hierarchy for it");
        layout.Prepare();
        var groups = new SandboxCgroups(layout, "nested");
        groups.Create(new SandboxLimits(MemoryMb: 256, Pids: 100));
        var output = Path.GetTempFileName();
        using var watcher = new ProcessWatcher();
        using var child = ChildProcess.Start("/bin/sleep", ["1000"], output);
        using var watch = watcher.Start(child);
        foreach (var folder in groups.Folders)
        {
            var below = Directory.CreateDirectory(Path.Combine(folder, "outer", "inner")).FullName;
            await File.WriteAllTextAsync(Path.Combine(below, "cgroup.procs"), $"{child.Pid}", Cancellation);
        }

        Assert.Equal([child.Pid], groups.Processes());
        await groups.RemoveAsync(TimeProvider.System, Cancellation);

        await watch.Ended.WaitAsync(Cancellation);
        Assert.Equal(128 + Libc.SigKill, child.TryReap());
        foreach (var hierarchy in layout.Hierarchies)
        {
            Directory.Delete(layout.ServerFolder(hierarchy));
        }

        File.Delete(output);
    }

    [Fact]
    public async Task Removal_IsGivenUp_AndSaysWhatIsLeft()
    {
        var mount = Directory.CreateTempSubdirectory("ash-cg-").FullName;
        var layout = CgroupLayout.Choose([new CgroupHierarchy(mount, IsV2: true, ["memory", "pids", "cpu"])], "stuck", [])!;
        var groups = new SandboxCgroups(layout, "stuck");
        var folder = Directory.CreateDirectory(Assert.Single(groups.Folders)).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "cgroup.procs"), "4194305\n4194306\n", Cancellation);

        var failure = await Assert.ThrowsAsync<SandboxException>(() => groups.RemoveAsync(new LeapingClock(), Cancellation));

        Assert.Contains(folder, failure.Message);
        Assert.Contains("4194305, 4194306", failure.Message);
        Directory.Delete(mount, recursive: true);
    }

    private static CgroupLayout? LayoutFor(Kill kill)
    {
        var mounted = CgroupHierarchy.Parse(File.ReadAllText("/proc/self/mountinfo"), static mountPoint =>
            File.ReadAllText(Path.Combine(mountPoint, "cgroup.controllers")));
        var usable = mounted
            .Where(hierarchy => kill switch
            {
                Kill.Unified => hierarchy.IsV2 || !hierarchy.Controllers.Contains("freezer"),
                Kill.Freezer => !hierarchy.IsV2,
                _ => !hierarchy.IsV2 && !hierarchy.Controllers.Contains("freezer"),
            })
            .ToList();
        var layout = CgroupLayout.Choose(usable, $"rt-{Environment.ProcessId}-{kill}", []);
        return kill switch
        {
            Kill.Unified => layout?.Kill is { IsV2: true } ? layout : null,
            Kill.Freezer => layout?.Kill is { IsV2: false } ? layout : null,
            _ => layout?.Kill is null ? layout : null,
        };
    }
}
