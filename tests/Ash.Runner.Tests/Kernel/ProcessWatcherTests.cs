using Ash.Runner.Kernel;

namespace Ash.Runner.Tests.Kernel;

public sealed class ProcessWatcherTests : IDisposable
{
    private readonly ProcessWatcher _watcher = new();
    private readonly string _output = Path.GetTempFileName();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _watcher.Dispose();
        File.Delete(_output);
    }

    [Fact]
    public async Task AChild_HasNoEnvironment_AndItsExitStatusIsKept()
    {
        using var child = ChildProcess.Start("/bin/sh", ["-c", "/usr/bin/env; echo error >&2; exit 7"], _output);
        using var watch = _watcher.Start(child);

        await watch.Ended.WaitAsync(Cancellation);

        Assert.Equal(7, child.TryReap());
        Assert.Null(child.TryReap());
        Assert.Equal(["PWD=" + Environment.CurrentDirectory, "error"], (await File.ReadAllLinesAsync(_output, Cancellation)).Where(line => !line.StartsWith("_=") && !line.StartsWith("OLDPWD")));
        Assert.Null(ProcessHandle.TryOpen(child.Pid, child.Start));
    }

    [Fact]
    public async Task AKilledChild_SaysWhichSignal()
    {
        using var child = ChildProcess.Start("/bin/sleep", ["1000"], _output);
        using var watch = _watcher.Start(child);
        Assert.Null(child.TryReap());

        child.Kill();
        await watch.Ended.WaitAsync(Cancellation);

        Assert.Equal(128 + 9, child.TryReap());
    }

    [Fact]
    public async Task ManyProcesses_AreWatched_ByOneThread()
    {
        var children = Enumerable.Range(0, 50).Select(_ => ChildProcess.Start("/bin/sleep", ["1000"], _output)).ToList();
        var watches = children.Select(_watcher.Start).ToList();
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
        using var child = ChildProcess.Start("/bin/true", [], _output);
        for (var time = 0; time < 3; time++)
        {
            using var watch = _watcher.Start(child);
            await watch.Ended.WaitAsync(Cancellation);
        }

        Assert.Equal(0, child.TryReap());
    }

    [Fact]
    public void AProcess_HasNotEnded_WhileAThreadOfItLives()
    {
        // Its first thread ends; from then on /proc/PID/stat calls the whole of it a zombie.
        const string Program = """
            import ctypes, threading, time
            threading.Thread(target=time.sleep, args=(1000,)).start()
            ctypes.CDLL(None).pthread_exit(None)
            """;
        using var child = ChildProcess.Start("/usr/bin/python3", ["-c", Program], _output);
        Assert.True(SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{child.Pid}/stat").Contains(") Z ", StringComparison.Ordinal), TimeSpan.FromSeconds(30)));

        Assert.False(child.HasEnded);
        using (var again = ProcessHandle.TryOpen(child.Pid, child.Start))
        {
            Assert.NotNull(again);
        }

        child.Kill();
        Assert.True(SpinWait.SpinUntil(() => child.HasEnded, TimeSpan.FromSeconds(30)));
        Assert.Null(ProcessHandle.TryOpen(child.Pid, child.Start));
        Assert.Equal(128 + 9, child.TryReap());
    }

    [Fact]
    public void AProgramThatIsNotThere_IsAnError() =>
        Assert.Throws<System.ComponentModel.Win32Exception>(() => ChildProcess.Start("/nowhere", [], _output));

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
