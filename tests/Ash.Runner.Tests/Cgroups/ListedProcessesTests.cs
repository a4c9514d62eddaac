using Ash.Runner.Cgroups;
using Ash.Runner.Kernel;

namespace Ash.Runner.Tests.Cgroups;

public sealed class ListedProcessesTests : IDisposable
{
    private readonly ProcessWatcher watcher = new();
    private readonly string output = Path.GetTempFileName();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        watcher.Dispose();
        File.Delete(output);
    }

    [Fact]
    public async Task WhatIsListed_IsKilled_HoweverMuchItIs()
    {
        var children = Enumerable.Range(0, 100).Select(_ => ChildProcess.Start("/bin/sleep", ["1000"], output)).ToList();
        var watches = children.Select(watcher.Start).ToList();

        ListedProcesses.Kill(() => children.Select(child => child.Pid).ToHashSet());

        await Task.WhenAll(watches.Select(watch => watch.Ended)).WaitAsync(Cancellation);
        foreach (var (child, watch) in children.Zip(watches))
        {
            watch.Dispose();
            Assert.Equal(128 + Libc.SigKill, child.TryReap());
            child.Dispose();
        }
    }

    [Fact]
    public async Task AnotherProcess_ThatHasTheNumberOfOneThatEnded_IsLeftAlone()
    {
        using var another = ChildProcess.Start("/bin/sh", ["-c", "sleep 0.1; exit 7"], output);
        using var watch = watcher.Start(another);
        var lists = new Queue<HashSet<int>>([[another.Pid, 0, int.MaxValue], []]);

        ListedProcesses.Kill(lists.Dequeue);

        await watch.Ended.WaitAsync(Cancellation);
        Assert.Equal(7, another.TryReap());
        Assert.Empty(lists);
    }
}
