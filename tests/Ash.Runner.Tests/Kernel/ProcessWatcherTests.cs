using Ash.Runner.Kernel;

namespace Ash.Runner.Tests.Kernel;

public sealed class ProcessWatcherTests : IDisposable
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
    public async Task AChild_HasNoEnvironment_AndItsExitStatusIsKept()
    {
        using var child = ChildProcess.Start("/bin/sh", ["-c", "/usr/bin/env; echo error >&2; exit 7"], output);
        using var watch = watcher.Start(child);

        await watch.Ended.WaitAsync(Cancellation);

        Assert.Equal(7, child.TryReap());
        Assert.Null(child.TryReap());
        Assert.Equal(["PWD=" + Environment.CurrentDirectory, "error"], (await File.ReadAllLinesAsync(output, Cancellation)).Where(line => !line.StartsWith("_=") && !line.StartsWith("OLDPWD")));
        Assert.Null(ProcessHandle.TryOpen(child.Pid, child.Start));
    }

    [Fact]
    public async Task AKilledChild_SaysWhichSignal()
    {
        using var child = ChildProcess.Start("/bin/sleep", ["1000"], output);
        using var watch = watcher.Start(child);
        Assert.Null(child.TryReap());

        child.Kill();
        await watch.Ended.WaitAsync(Cancellation);

        Assert.Equal(128 + 9, child.TryReap());
    }

    [Fact]
    public async Task ManyProcesses_AreWatched_ByOneThread()
    {
        var children = Enumerable.Range(0, 50).Select(_ => ChildProcess.Start("/bin/sleep", ["1000"], output)).ToList();
        var watches = children.Select(watcher.Start).ToList();
        foreach (var child in children)
        {
            child.Kill();
        }

        await Task.WhenAll(watches.Select(watch => watch.Ended)).WaitAsync(Cancellation);

        foreach (var (child, watch) in children.Zip(watches))
        {
            watch.Dispose();
            Assert.NotNull(child.TryReap());
            child.Dispose();
        }
    }

    [Fact]
    public async Task AProcess_IsWatchedAgain_AlsoWhenItHasEndedMeanwhile()
    {
        using var child = ChildProcess.Start("/bin/true", [], output);
        for (var time = 0; time < 3; time++)
        {
            using var watch = watcher.Start(child);
            await watch.Ended.WaitAsync(Cancellation);
        }

        Assert.Equal(0, child.TryReap());
    }

    [Fact]
    public void AProgramThatIsNotThere_IsAnError() =>
        Assert.Throws<System.ComponentModel.Win32Exception>(() => ChildProcess.Start("/nowhere", [], output));

    [Fact]
    public void AnotherStart_IsAnotherProcess()
    {
        var start = ProcessStart.Read(Environment.ProcessId);

        using var same = ProcessHandle.TryOpen(Environment.ProcessId, start);

        Assert.NotNull(same);
        Assert.Null(ProcessHandle.TryOpen(Environment.ProcessId, start + 1));
        Assert.Null(ProcessHandle.TryOpen(int.MaxValue));
    }
}
