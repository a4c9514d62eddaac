using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Sandboxes;

public sealed class ExecTests(PublishedBridge bridge) : SandboxTests(bridge)
{
    [Fact]
    public async Task Command_RunsInTheWorkspace_WithTheConfiguredEnvironmentAlone()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        Assert.True((await server.AskAsync(new Configure("configure", new Dictionary<string, string> { ["PATH"] = "/usr/bin" }))).Ok);

        var frames = await RunAsync(server, new Exec("e", "pwd; env | sort | grep -v ^_; ls -l /proc/self/fd | grep -c socket; echo oops >&2; exit 3", 10_000));

        Assert.IsType<CommandDone>(frames[0].Header);
        Assert.Equal("/workspace\nPATH=/usr/bin\nPWD=/workspace\n0\n", Output(frames, "stdout"));
        Assert.Equal("oops\n", Output(frames, "stderr"));
        Assert.Equal(new ExecExited("e", Code: 3), frames[^1].Header with { Number = 0 });
    }

    [Fact]
    public async Task Command_HasDefaultSignals_AndASessionOfItsOwn()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();

        var frames = await RunAsync(server, new Exec("e", "while read key value; do case $key in SigIgn:|SigBlk:) echo $value;; esac; done < /proc/self/status; read pid name state parent group session rest < /proc/self/stat; [ $session = $$ ] && echo own", 10_000));

        Assert.Equal("0000000000000000\n0000000000000000\nown\n", Output(frames, "stdout"));
    }

    [Fact]
    public async Task Command_IsKilledWithItsGroup_WhenItsTimeIsOver()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        var frames = await RunAsync(server, new Exec("e", "echo begun; sleep 1000 | sleep 1000", 100));

        Assert.Equal("begun\n", Output(frames, "stdout"));
        Assert.Equal(new ExecExited("e", Signal: 9, TimedOut: true), frames[^1].Header with { Number = 0 });
        var after = await RunAsync(server, new Exec("f", "while cat /proc/[0-9]*/comm 2>/dev/null | grep -q sleep; do read n < /proc/uptime; done; echo none", 10_000));
        Assert.Equal("none\n", Output(after, "stdout"));
    }

    [Fact]
    public async Task Command_IsKilled_WhenAskedFor()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);
        Assert.True((await server.AskAsync(new Exec("e", "sleep 1000", 1_000_000))).Ok);

        Assert.True((await server.AskAsync(new KillExec("k", "e"))).Ok);

        Assert.Equal(new ExecExited("e", Signal: 9), (await server.UntilAsync<ExecExited>()).Header with { Number = 0 });
        Assert.True((await server.AskAsync(new KillExec("l", "e"))).Ok);
    }

    [Fact]
    public async Task Command_IsKilled_ThoughItHadNotStartedYet()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(new Exec("e", "sleep 1000", 1_000_000));
        await server.SendAsync(new KillExec("k", "e"));

        Assert.Equal(new ExecExited("e", Signal: 9), (await server.UntilAsync<ExecExited>()).Header with { Number = 0 });
    }

    [Fact]
    public async Task BackgroundChild_DoesNotHoldUpTheEnd_AndLivesOn()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        var frames = await RunAsync(server, new Exec("e", "sleep 1000 & head -c 60000 /dev/zero; echo done", 10_000));

        Assert.Equal(60_005, Output(frames, "stdout").Length);
        Assert.Equal(new ExecExited("e", Code: 0), frames[^1].Header with { Number = 0 });
        const string Look = "until cat /proc/[0-9]*/comm 2>/dev/null | grep -q sleep; do read n < /proc/uptime; done; echo alive";
        Assert.Equal("alive\n", Output(await RunAsync(server, new Exec("f", Look, 10_000)), "stdout"));
    }

    [Fact]
    public async Task Output_IsCutAtItsLimit_ForEachStream_AndTheCommandGoesOn()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        var frames = await RunAsync(server, new Exec("e", "head -c 12000000 /dev/zero; echo end >&2; exit 5", 20_000));

        Assert.Equal(BridgeProtocol.MaxExecOutputBytes, Output(frames, "stdout").Length);
        Assert.Equal("end\n", Output(frames, "stderr"));
        Assert.Equal(new ExecExited("e", Code: 5, Truncated: true), frames[^1].Header with { Number = 0 });
        Assert.All(frames, frame => Assert.InRange(frame.Payload.Length, 0, 64 * 1024));
    }

    [Fact]
    public async Task Command_IsRefused_WithoutATimeLimit()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();

        Assert.False((await server.AskAsync(new Exec("e", "true", 0))).Ok);
    }

    private static async Task<List<Frame>> RunAsync(Conversation server, Exec command)
    {
        await server.SendAsync(command);
        return await server.AllUntilAsync<ExecExited>();
    }

    private static string Output(List<Frame> frames, string stream) =>
        string.Concat(frames.Where(frame => frame.Header is ExecOutput output && output.Stream == stream).Select(frame => frame.Text));
}
