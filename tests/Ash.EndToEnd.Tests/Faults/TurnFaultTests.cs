using Ash.Client.Events;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>Turns that are stopped, that do not stop, that never began, and transcripts that do not say what was said.</summary>
public sealed class TurnFaultTests(FaultServer fixture) : IClassFixture<FaultServer>
{
    private const int Limit = 300_000;

    private AshServer Server => fixture.Server;

    [Fact(Timeout = Limit)]
    public async Task IdleCli_IsReplaced_WhenTheNextMessageComes()
    {
        var session = await BeginAsync();
        var before = Server.CliOf(session);

        before.Kill();
        var loss = await Server.WaitForEventAsync(session, e => e.Body is Lifecycle { Type: "sandbox.lost" });

        Assert.Equal("cli_exited", loss.Json.GetProperty("cause").GetString());
        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await Server.SendAsync(session, "second")).Result);
        Assert.Equal(before.Sandbox, Server.CliOf(session).Sandbox);
    }

    [Fact(Timeout = Limit)]
    public async Task TurnWhoseCliDiesBeforeItCalledTheModel_IsStartedAgain()
    {
        var session = await BeginAsync();
        var before = Server.CliOf(session);
        before.Freeze();
        var sending = Server.SendAsync(session, "second");
        await Server.WaitForStartedAsync(session, 2);

        before.Kill();

        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await sending).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task TurnWhoseSandboxDiesBeforeItCalledTheModel_IsStartedAgain()
    {
        var session = await BeginAsync();
        Server.CliOf(session).Freeze();
        var sending = Server.SendAsync(session, "second");
        await Server.WaitForStartedAsync(session, 2);

        Server.BridgeOf(session).Kill();

        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await sending).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task TurnThatIsStartedAgain_IsSaidOnce_WhereItsTextWasWrittenDownAlready()
    {
        var session = await BeginAsync();
        var before = Server.CliOf(session);
        before.Freeze();
        var sending = Server.SendAsync(session, "second");
        var turn = await Server.WaitForStartedAsync(session, 2);
        var transcript = Server.TranscriptOf(session);
        var lines = await File.ReadAllLinesAsync(transcript, TestContext.Current.CancellationToken);
        await File.AppendAllTextAsync(transcript, Transcripts.NextUserLine(lines, turn, "second") + "\n", TestContext.Current.CancellationToken);

        before.Kill();

        var answer = await sending;
        Assert.Equal(("completed", "[Resumed session] Turn 2 | History: first | second"), (answer.Reason, answer.Result));
        Assert.Equal("[Resumed session] Turn 3 | History: first | second | third", (await Server.SendAsync(session, "third")).Result);
    }

    [Theory(Timeout = Limit)]
    [InlineData("no transcript at all\n")]
    [InlineData("""{"type":"user","uuid":"11111111-1111-4111-8111-111111111111","message":{"role":"user","content":1""")]
    public async Task TranscriptThatCannotBeResumed_IsReplacedFromTheLog(string content)
    {
        var session = await BeginAsync();
        await Server.ExecAsync(session, "mkdir done");
        Server.Model.Queue("""{"text":"by hand","tool":{"name":"Bash","input":{"command":"rmdir done && echo removed","description":"d"}},"when":{"prompt":"^with a tool$"}}""");
        await Server.SendAsync(session, "with a tool");
        await Server.ExecAsync(session, $"cat > /home/agent/.claude/projects/-workspace/{session}.jsonl <<'END'\n{content}\nEND");
        Server.CliOf(session).Kill();
        await Server.WaitForEventAsync(session, e => e.Body is Lifecycle { Type: "sandbox.lost" });

        var turn = await Server.SendAsync(session, "third");

        Assert.Equal("[Resumed session] Turn 3 | History: first | with a tool | third", turn.Result);
        var told = Server.LastModelCall();
        Assert.Contains("[Mock] Turn 1 | History: first", told, StringComparison.Ordinal);
        Assert.Contains("by hand", told, StringComparison.Ordinal);
        Assert.Contains("removed", told, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task TranscriptOfATerabyte_IsNotRead()
    {
        var session = await BeginAsync();
        await Server.ExecAsync(session, $"truncate -s 1T /home/agent/.claude/projects/-workspace/{session}.jsonl");
        Server.CliOf(session).Kill();
        await Server.WaitForEventAsync(session, e => e.Body is Lifecycle { Type: "sandbox.lost" });

        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await Server.SendAsync(session, "second")).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task ClearedConversation_StaysCleared_InTheNextProcess()
    {
        var session = await BeginAsync();
        await Server.SendAsync(session, "/clear");
        Server.CliOf(session).Kill();
        await Server.WaitForEventAsync(session, e => e.Body is Lifecycle { Type: "sandbox.lost" });

        Assert.Equal("[Mock] Turn 1 | History: second", (await Server.SendAsync(session, "second")).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task AnswerThatWasNeverWrittenDown_IsToldToTheNextProcess()
    {
        var session = await BeginAsync();
        await Server.SendAsync(session, "second");
        var transcript = Server.TranscriptOf(session);
        var lines = await File.ReadAllLinesAsync(transcript, TestContext.Current.CancellationToken);
        var answer = Array.FindLastIndex(lines, line => line.Contains("\"type\":\"assistant\"", StringComparison.Ordinal));
        var cli = Server.CliOf(session);
        cli.Freeze();
        await File.WriteAllLinesAsync(transcript, lines.Take(answer), TestContext.Current.CancellationToken);

        cli.Kill();
        await Server.WaitForEventAsync(session, e => e.Body is Lifecycle { Type: "sandbox.lost" });
        await Server.SendAsync(session, "third");

        Assert.Contains("[Resumed session] Turn 2 | History: first | second", Server.LastModelCall(), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Interrupt_StopsATurn_ThatTheCliHasNotBegunYet()
    {
        var session = await BeginAsync();
        var cli = Server.CliOf(session);
        Server.Model.Queue("""{"text":"never","gate":"never-released","when":{"prompt":"^too early$"}}""");
        var sending = Server.SendAsync(session, "too early");
        await Server.WaitForStartedAsync(session, 2);

        await Server.Client.Sessions.InterruptAsync(session);

        Assert.Equal("interrupted", (await sending).Reason);
        Assert.Equal(cli.Pid, Server.CliOf(session).Pid);
        Assert.EndsWith("| third", (await Server.SendAsync(session, "third")).Result, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Interrupt_KillsACli_ThatDoesNotHeedIt()
    {
        var struck = await StruckTurn.BeginAsync(Server, Moment.WithinADelta);
        var cli = Server.CliOf(struck.Session);
        cli.Freeze();

        await Server.Client.Sessions.InterruptAsync(struck.Session);

        Assert.Equal("interrupted", (await struck.Sending).Reason);
        await struck.AssertConversationIsIntactAsync(Server);
        Assert.Equal(cli.Sandbox, Server.CliOf(struck.Session).Sandbox);
    }

    [Fact(Timeout = Limit)]
    public async Task Interrupt_EndsASandbox_WhoseBridgeDoesNotHeedIt()
    {
        var struck = await StruckTurn.BeginAsync(Server, Moment.WithinADelta);
        var bridge = Server.BridgeOf(struck.Session);
        Server.CliOf(struck.Session).Freeze();
        bridge.Freeze();

        await Server.Client.Sessions.InterruptAsync(struck.Session);

        Assert.Equal("interrupted", (await struck.Sending).Reason);
        await struck.AssertConversationIsIntactAsync(Server);
        Assert.NotEqual(bridge.Sandbox, Server.BridgeOf(struck.Session).Sandbox);
    }

    [Theory(Timeout = Limit)]
    [InlineData("pause")]
    [InlineData("stop")]
    [InlineData("end")]
    public async Task LifecycleCall_EndsTheRunningTurn_AndCancelsTheQueue(string call)
    {
        var struck = await StruckTurn.BeginAsync(Server, Moment.WithinATool);
        var waiting = Server.SendAsync(struck.Session, "waits");
        await Server.WaitForEventAsync(struck.Session, e => e.Body is Lifecycle { Type: "turn.queued" });
        var sessions = Server.Client.Sessions;

        var session = await (call switch
        {
            "pause" => sessions.PauseAsync(struck.Session),
            "stop" => sessions.StopAsync(struck.Session),
            _ => sessions.EndAsync(struck.Session),
        });

        Assert.Equal(call == "pause" ? "paused" : call == "stop" ? "stopped" : "ended", session.Status);
        Assert.Equal("interrupted", (await struck.Sending).Reason);
        Assert.Equal("cancelled", (await waiting).Reason);
        if (call == "stop")
        {
            await sessions.ResumeAsync(struck.Session);
        }

        if (call != "end")
        {
            var next = await Server.SendAsync(struck.Session, "third");
            Assert.Equal("completed", next.Reason);
            Assert.Contains("I will run it", Server.LastModelCall(), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task MessageThatComesDuringAPause_WakesTheSession()
    {
        var struck = await StruckTurn.BeginAsync(Server, Moment.WithinADelta);
        Server.CliOf(struck.Session).Freeze();

        var pausing = Server.Client.Sessions.PauseAsync(struck.Session);
        var next = Server.SendAsync(struck.Session, "third");

        await pausing;
        Assert.Equal("interrupted", (await struck.Sending).Reason);
        var turn = await next;
        Assert.True(turn.Reason is "completed" or "cancelled", turn.Reason);
        await Server.SendAsync(struck.Session, "fourth");
        Assert.Equal("active", (await Server.Client.Sessions.GetAsync(struck.Session)).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task ProcessThatTakesTooMuchMemory_IsReported_AndTheSessionGoesOn()
    {
        var agent = await Server.CreateSessionAsync(files: new Dictionary<string, string>
        {
            ["ash.json"] = """{"resources":{"memoryMb":512}}""",
        });
        await Server.SendAsync(agent.Id, "first");
        await Server.ExecAsync(agent.Id, "mkfifo begun go");
        Server.Model.Queue("""{"tool":{"name":"Bash","input":{"command":"echo > begun; cat go; head -c 2000000000 /dev/zero | tail","description":"d"}},"when":{"prompt":"^greedy$"}}""");

        var sending = Server.SendAsync(agent.Id, "greedy");
        await Server.Client.Sessions.ExecAsync(agent.Id, new ExecRequest { Command = "cat begun", Timeout = 60_000 });

        // The kernel's choice, which the tool's own processes, already there, do not inherit.
        await File.WriteAllTextAsync($"/proc/{Server.CliOf(agent.Id).Pid}/oom_score_adj", "1000", TestContext.Current.CancellationToken);
        await Server.ExecAsync(agent.Id, "echo > go");
        var turn = await sending;

        Assert.Equal(("sandbox_lost", "oom", true), (turn.Reason, turn.Code, turn.Retryable));
        var facts = await Server.FactsOfAsync(agent.Id);
        Assert.Contains("resource", facts);
        Assert.Contains("sandbox.lost", facts);
        Assert.Equal("[Resumed session] Turn 3 | History: first | greedy | third", (await Server.SendAsync(agent.Id, "third")).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task ToolThatTakesTooMuchMemory_IsReported_AndItsTurnGoesOn()
    {
        var agent = await Server.CreateSessionAsync(files: new Dictionary<string, string>
        {
            ["ash.json"] = """{"resources":{"memoryMb":1024}}""",
        });
        Server.Model.Queue("""{"tool":{"name":"Bash","input":{"command":"head -c 3000000000 /dev/zero | tail","description":"d"}},"when":{"prompt":"^greedy tool$"}}""");

        var turn = await Server.SendAsync(agent.Id, "greedy tool");

        Assert.Equal("completed", turn.Reason);
        Assert.Contains("resource", await Server.FactsOfAsync(agent.Id));
    }

    /// <summary>A session with a turn behind it, whose CLI waits for the next.</summary>
    private async Task<Guid> BeginAsync()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        await Server.SendAsync(session, "first");
        await Server.WaitForIdleCliAsync(session);
        return session;
    }
}
