using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;
using Ash.Runner.Sandboxes;

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
        while (groups.ReadUsage().RefusedForks == 0 && !watch.Ended.IsCompleted)
        {
            await Task.Yield();
        }

        await groups.RemoveAsync(Cancellation);

        await watch.Ended.WaitAsync(Cancellation);
        bomb.TryReap();
        Assert.All(groups.Folders, folder => Assert.False(Directory.Exists(folder)));
        Assert.Empty(groups.Processes());
        Assert.Equal(new SandboxUsage(0, 0, 0, 0), groups.ReadUsage());
        await groups.RemoveAsync(Cancellation);
        foreach (var hierarchy in layout.Hierarchies)
        {
            Directory.Delete(layout.ServerFolder(hierarchy));
        }

        File.Delete(output);
    }

    private static CgroupLayout? LayoutFor(Kill kill)
    {
        var mounted = CgroupHierarchy.Parse(File.ReadAllText("/proc/self/mountinfo"), static mountPoint =>
            File.ReadAllText(Path.Combine(mountPoint, "cgroup.controllers")));
        var usable = mounted
            .Where(hierarchy => kill switch
            {
                Kill.Unified => true,
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
