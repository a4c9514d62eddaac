using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Sandboxes;

public sealed class ReplayTests(PublishedBridge bridge) : SandboxTests(bridge)
{
    [Fact]
    public async Task Reconnect_ReplaysWhatWasNotAcknowledged_InOrder()
    {
        await using var sandbox = await StartAsync();
        List<Frame> first;
        using (var server = await sandbox.WelcomeAsync())
        {
            await server.SendAsync(Script("start", "for i in 1 2 3 4 5; do echo line $i; done; read end"));
            first = await server.AllUntilAsync<CliLine>();
            while (first[^1].Text != "line 5")
            {
                first.Add(await server.NextAsync());
            }

            await server.SendAsync(new Acknowledge(3));
            await server.AskAsync(new KillExec("after the acknowledgement", "nothing"));
        }

        using var next = await sandbox.AcceptAsync();
        Assert.Equal((4, 8, 1), (next.Hello.Oldest, next.Hello.Head, next.Hello.Process));
        Assert.True(next.Hello.CliPid > 1);

        await next.SendAsync(new Welcome(4));
        var second = await next.AllUntilAsync<CommandDone>();
        Assert.Equal([5, 6, 7, 8], second.Select(frame => frame.Header.Number));
        Assert.Equal(first.Skip(4).Select(frame => frame.Text), second.SkipLast(1).Select(frame => frame.Text));

        await next.WriteLineAsync("write", "end");
        Assert.Equal(9, (await next.NextAsync()).Header.Number);
    }

    [Fact]
    public async Task OutputGoesOn_WhileTheServerIsAway()
    {
        await using var sandbox = await StartAsync();
        using (var server = await sandbox.WelcomeAsync())
        {
            await ConfigureAsync(server);
            await server.AskAsync(Script("start", "while ! [ -e go ]; do sleep 0.01; done; echo while you were away"));
        }

        await File.WriteAllTextAsync(Path.Combine(sandbox.Workspace, "go"), "", Deadline.Token);
        using var next = await sandbox.WelcomeAsync(acknowledged: 3);
        var frames = await next.AllUntilAsync<CliExited>();

        Assert.Equal([4, 5], frames.Select(frame => frame.Header.Number));
        Assert.Equal("while you were away", frames[0].Text);
    }

    [Fact]
    public async Task RepeatedCommand_IsNotRunAgain_AndGetsTheFirstOutcome()
    {
        await using var sandbox = await StartAsync();
        using (var server = await sandbox.WelcomeAsync())
        {
            await ConfigureAsync(server);
            await server.SendAsync(new Exec("once", "echo run >> runs", 10_000));
            await server.UntilAsync<ExecExited>();
            Assert.False((await server.AskAsync(new StartCli("bad", ["/no/such/program"]))).Ok);
        }

        using var next = await sandbox.WelcomeAsync(acknowledged: 1000);
        Assert.True((await next.AskAsync(new Exec("once", "echo run >> runs", 10_000))).Ok);
        Assert.Equal("No such file or directory", (await next.AskAsync(new StartCli("bad", ["/bin/true"]))).Error);
        await next.SendAsync(new Exec("look", "cat runs", 10_000));
        Assert.Equal("run\n", (await next.UntilAsync<ExecOutput>()).Text);
    }

    [Fact]
    public async Task RepeatedLine_IsWrittenOnce_WithItsPayloadTakenOffTheWire()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(Script("start", "cat"));
        await server.WriteLineAsync("a", "one");
        await server.WriteLineAsync("a", "one");
        await server.WriteLineAsync("b", "two");
        await server.SendAsync(new CloseInput("close"));
        var frames = await server.AllUntilAsync<CliExited>();

        Assert.Equal(["one", "two"], frames.Where(frame => frame.Header is CliLine).Select(frame => frame.Text));
        Assert.Equal(2, frames.Count(frame => frame.Header is CommandDone { Id: "a", Ok: true }));
    }

    [Fact]
    public async Task ServerThatAcknowledgesNothing_StopsTheCli_UntilItDoes()
    {
        const int Lines = 90;
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(Script("start", $"i=0; while [ $i -lt {Lines} ]; do i=$((i+1)); head -c 1000000 /dev/zero; echo; echo $i > progress; done"));
        var frames = new List<Frame>();
        while (frames.Where(frame => frame.Header is CliLine).Sum(frame => (long)frame.Payload.Length) < BridgeProtocol.MaxUnacknowledgedBytes - 1_000_000)
        {
            frames.Add(await server.NextAsync() with { Payload = new byte[1_000_000] });
        }

        // Commands are still answered, and the CLI stands where its pipe is full.
        await server.SendAsync(new Exec("look", "while [ $(cat progress) -lt 67 ]; do sleep 0.01; done; sleep 0.2; cat progress > seen", 20_000));
        await server.UntilAsync<CommandDone>();
        await WaitForFileAsync(Path.Combine(sandbox.Workspace, "seen"));
        Assert.InRange(int.Parse(await File.ReadAllTextAsync(Path.Combine(sandbox.Workspace, "seen"), Deadline.Token)), 67, 70);

        var seen = frames.Count(frame => frame.Header is CliLine);
        await server.SendAsync(new Acknowledge(frames[^1].Header.Number));
        var last = await server.NextAsync();
        for (; last.Header is not CliExited; last = await server.NextAsync())
        {
            seen += last.Header is CliLine ? 1 : 0;
            await server.SendAsync(new Acknowledge(last.Header.Number));
        }

        Assert.InRange(seen, Lines - 2, Lines);
    }

    [Fact]
    public async Task SenderAndAcknowledger_DoNotWaitForEachOther_InAFlood()
    {
        const int Lines = 200_000;
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(Script("start", $"yes {new string('z', 300)} | head -n {Lines}"));
        var seen = 0;
        for (var frame = await server.NextAsync(); frame.Header is not CliExited; frame = await server.NextAsync())
        {
            seen += frame.Header is CliLine ? 1 : 0;
            if (frame.Header.Number % 50 == 0)
            {
                await server.SendAsync(new Acknowledge(frame.Header.Number));
            }
        }

        Assert.Equal(Lines, seen);
    }

    [Fact]
    public async Task Nonsense_EndsTheConnection_AndNothingElse()
    {
        await using var sandbox = await StartAsync();
        foreach (var nonsense in (string[])["{}\n", "null\n", "{\"type\":\"write\",\"id\":\"x\",\"bytes\":-1}\n", "{\"type\":\"exec\"}\n", "{\"type\":\"ack\",\"number\":99}\n", new string('x', BridgeProtocol.MaxHeaderBytes + 10)])
        {
            using var server = await sandbox.WelcomeAsync();
            await server.SendRawAsync(nonsense);
            Assert.Null(await server.TryNextAsync());
        }

        using var last = await sandbox.WelcomeAsync();
        Assert.True((await last.AskAsync(new Configure("c", Environment))).Ok);
    }

    /// <summary>A file appears with its content: the test waits for the change, however long it takes.</summary>
    private static async Task WaitForFileAsync(string path)
    {
        var appeared = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(path) ?? "/") { NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.FileName };
        void Look(object? sender, FileSystemEventArgs change)
        {
            if (File.Exists(path) && new FileInfo(path).Length > 0)
            {
                appeared.TrySetResult();
            }
        }

        watcher.Changed += Look;
        watcher.Created += Look;
        watcher.EnableRaisingEvents = true;
        Look(null, new(WatcherChangeTypes.Changed, "/", null));
        await appeared.Task.WaitAsync(Deadline.Token);
    }
}
