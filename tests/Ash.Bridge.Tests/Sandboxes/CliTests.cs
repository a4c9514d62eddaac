using System.Text;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Sandboxes;

public sealed class CliTests(PublishedBridge bridge) : SandboxTests(bridge)
{
    [Fact]
    public async Task Line_IsAnsweredByALine_InTheCliThatWasStarted()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(new StartCli("start", ["/bin/sh", "-c", "read line; echo \"$line in $PWD with $EXTRA\"; read end"], new Dictionary<string, string> { ["EXTRA"] = "extra" }));
        await server.WriteLineAsync("write", "größe");
        var frames = await server.AllUntilAsync<CliLine>();

        Assert.Equal("größe in /workspace with extra", frames[^1].Text);
        Assert.Contains(frames, frame => frame.Header is CliStarted { Process: 1, Pid: > 1 });
        Assert.Contains(frames, frame => frame.Header is CommandDone { Id: "start", Ok: true });
        Assert.Equal(Enumerable.Range(2, frames.Count).Select(n => (long)n), frames.Select(frame => frame.Header.Number));
    }

    [Fact]
    public async Task EndOfInput_ComesAfterEveryLine_AndTheExitAfterAllOutput()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(Script("start", "while read line; do echo \"<$line>\"; done; echo last words >&2; printf unfinished; exit 7"));
        await server.WriteLineAsync("one", "1");
        await server.WriteLineAsync("two", "2");
        await server.SendAsync(new CloseInput("close"));
        var frames = await server.AllUntilAsync<CliExited>();

        Assert.Equal(["<1>", "<2>", "unfinished"], frames.Where(frame => frame.Header is CliLine).Select(frame => frame.Text));
        Assert.Equal("last words", frames.Single(frame => frame.Header is CliErrorLine).Text);
        Assert.Equal(new CliExited(1, Code: 7), frames[^1].Header with { Number = 0 });
    }

    [Fact]
    public async Task DeathOfTheCli_EndsEverythingElse_WhoeverHoldsItsPipes()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(Script("start", "(trap '' HUP TERM; setsid sleep 1000) & sleep 1000 & echo ready; kill -9 $$"));
        var frames = await server.AllUntilAsync<CliExited>();

        Assert.Contains(frames, frame => frame.Text == "ready");
        Assert.Equal(new CliExited(1, Signal: 9), frames[^1].Header with { Number = 0 });
        Assert.Equal("1", await CountOfProcessesAsync(server));
    }

    [Fact]
    public async Task KillCli_EndsEverything_AndAnotherCanBeStarted()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);
        Assert.True((await server.AskAsync(Script("first", "sleep 1000 & sleep 1000"))).Ok);
        Assert.Equal("running", (await server.AskAsync(Script("second", "true"))).Error);

        Assert.True((await server.AskAsync(new KillCli("kill"))).Ok);
        Assert.Equal(new CliExited(1, Signal: 9), (await server.UntilAsync<CliExited>()).Header with { Number = 0 });

        await server.SendAsync(Script("third", "echo again"));
        Assert.Equal(2, ((CliLine)(await server.UntilAsync<CliLine>()).Header).Process);
    }

    [Fact]
    public async Task HugeLine_Passes_ByteForByte()
    {
        const int Length = 20_000_000;
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(Script("start", $"head -c {Length} /dev/zero | tr '\\0' x; echo; echo after"));
        var line = await server.UntilAsync<CliLine>();

        Assert.Equal(Length, line.Payload.Length);
        Assert.Equal(-1, line.Payload.AsSpan().IndexOfAnyExcept((byte)'x'));
        Assert.Equal("after", (await server.UntilAsync<CliLine>()).Text);
    }

    [Fact]
    public async Task LineBeyondTheLimit_IsRefused_AndTheNextOnePasses()
    {
        const int Length = BridgeProtocol.MaxLineBytes + 1000;
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(Script("start", $"head -c {Length} /dev/zero; echo; echo after"));
        var frames = await server.AllUntilAsync<CliLine>();

        Assert.Contains(frames, frame => frame.Header is CliLineRefused { Process: 1, Length: Length });
        Assert.Equal("after", frames[^1].Text);
    }

    [Fact]
    public async Task HugeLineToTheCli_IsReadByIt_AndACliThatDoesNotReadHoldsUpNobody()
    {
        var line = Encoding.UTF8.GetBytes(new string('y', 5_000_000));
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.SendAsync(Script("start", "while ! [ -e go ]; do sleep 0.01; done; head -n 1 | wc -c"));
        await server.SendAsync(new WriteLine("write", line.Length), line);
        var frames = new List<Frame>();
        await server.SendAsync(new Exec("exec", "touch go", 20_000));
        frames.AddRange(await server.AllUntilAsync<ExecExited>());
        Assert.DoesNotContain(frames, frame => frame.Header is CommandDone { Id: "write" });

        var rest = await server.AllUntilAsync<CliExited>();
        Assert.Contains(rest, frame => frame.Header is CommandDone { Id: "write", Ok: true });
        Assert.Equal("5000001", rest.Single(frame => frame.Header is CliLine).Text);
    }

    [Fact]
    public async Task Input_IsRefused_WhereNothingRuns_OrTheCliDoesNotTakeIt()
    {
        var line = new byte[BridgeProtocol.MaxLineBytes / 2];
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();
        await ConfigureAsync(server);

        await server.WriteLineAsync("early", "nobody");
        Assert.False(((CommandDone)(await server.UntilAsync<CommandDone>()).Header).Ok);
        Assert.False((await server.AskAsync(new CloseInput("close"))).Ok);

        await server.AskAsync(Script("closed", "sleep 1000"));
        Assert.True((await server.AskAsync(new CloseInput("close it"))).Ok);
        await server.WriteLineAsync("late", "nobody");
        Assert.Equal("The CLI's input is closed.", ((CommandDone)(await server.UntilAsync<CommandDone>()).Header).Error);
        await server.SendAsync(new KillCli("kill it"));
        await server.UntilAsync<CliExited>();

        await server.AskAsync(Script("start", "sleep 1000"));
        foreach (var id in (string[])["first", "second", "third"])
        {
            await server.SendAsync(new WriteLine(id, line.Length), line);
        }

        var refusal = (CommandDone)(await server.UntilAsync<CommandDone>()).Header;
        Assert.Equal(("third", false), (refusal.Id, refusal.Ok));
        await server.SendAsync(new KillCli("kill"));
        var frames = await server.AllUntilAsync<CliExited>();
        Assert.Contains(frames, frame => frame.Header is CommandDone { Id: "first", Ok: false });
        Assert.Contains(frames, frame => frame.Header is CommandDone { Id: "second", Ok: false });
    }

    [Fact]
    public async Task Start_Fails_WithTheReason()
    {
        await using var sandbox = await StartAsync();
        using var server = await sandbox.WelcomeAsync();

        Assert.Equal("No such file or directory", (await server.AskAsync(new StartCli("a", ["/no/such/program"]))).Error);
        Assert.Equal("The program must be an absolute path.", (await server.AskAsync(new StartCli("b", ["sh"]))).Error);
        Assert.Equal(
            "The environment variable 'A=B' cannot be set.",
            (await server.AskAsync(new StartCli("c", ["/bin/sh"], new Dictionary<string, string> { ["A=B"] = "" }))).Error);
        Assert.True((await server.AskAsync(new StartCli("d", ["/bin/true"]))).Ok);
    }

    private static async Task<string> CountOfProcessesAsync(Conversation server)
    {
        // The shell counts itself as well, and is left out.
        await server.SendAsync(new Exec("count", "set -- /proc/[0-9]*; echo $(($# - 1))", 10_000));
        return (await server.UntilAsync<ExecOutput>()).Text.Trim();
    }
}
