using Ash.Client.Events;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>Servers that are told to stop, sandboxes whose server is away, and sessions that nobody uses.</summary>
public sealed class ShutdownTests
{
    private const int Limit = 300_000;

    [Fact(Timeout = Limit)]
    public async Task Drain_LeavesNothing_AndTheNextServerGoesOn()
    {
        await using var server = await AshServer.StartAsync();
        var idle = (await server.CreateSessionAsync()).Id;
        await server.SendAsync(idle, "first");
        var struck = await StruckTurn.BeginAsync(server, Moment.WithinATool);
        Assert.NotEmpty(Sandboxes.RemainsOf(server.ServerId, server.DataDirectory));

        Assert.Equal(0, await server.StopAsync());

        Assert.Empty(server.Processes());
        Assert.Empty(Sandboxes.RemainsOf(server.ServerId, server.DataDirectory));

        // Whoever waits hears of the turn's end or is cut off: which of them comes first is a matter of milliseconds.
        if (await Record.ExceptionAsync(() => struck.Sending) is { } cutOff)
        {
            Assert.IsType<Client.AshException>(cutOff, exactMatch: false);
        }

        await server.StartAgainAsync();
        Assert.Equal("interrupted", (await server.WaitForTurnAsync(struck.Session, struck.Turn)).Reason);
        Assert.Equal("paused", (await server.Client.Sessions.GetAsync(idle)).Status);
        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await server.SendAsync(idle, "second")).Result);
        await struck.AssertConversationIsIntactAsync(server);
    }

    [Fact(Timeout = Limit)]
    public async Task MessageThatWaits_IsAnsweredByTheNextServer()
    {
        await using var server = await AshServer.StartAsync();
        var struck = await StruckTurn.BeginAsync(server, Moment.WithinATool);
        var waiting = server.SendAsync(struck.Session, "next");
        var queued = await server.WaitForEventAsync(struck.Session, e => e.Body is Lifecycle { Type: "turn.queued" });

        Assert.Equal(0, await server.StopAsync());
        await Record.ExceptionAsync(() => struck.Sending);
        await Assert.ThrowsAnyAsync<Client.AshException>(() => waiting);
        await server.StartAgainAsync();

        Assert.Equal("completed", (await server.WaitForTurnAsync(struck.Session, ((Lifecycle)queued.Body).TurnId!.Value)).Reason);
    }

    [Fact(Timeout = Limit)]
    public async Task Keep_LeavesTheSandbox_AndTheNextServerAdoptsIt()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_SHUTDOWN"] = "keep" },
        });
        var struck = await StruckTurn.BeginAsync(server, Moment.WithinATool);
        var cli = server.CliOf(struck.Session).Pid;

        Assert.Equal(0, await server.StopAsync());

        await Assert.ThrowsAnyAsync<Client.AshException>(() => struck.Sending);
        Assert.Equal(cli, server.CliOf(struck.Session).Pid);
        await server.StartAgainAsync();
        await struck.ReleaseAsync(server);
        Assert.Equal("completed", (await server.WaitForTurnAsync(struck.Session, struck.Turn)).Reason);
        Assert.Equal(cli, server.CliOf(struck.Session).Pid);
        await struck.AssertConversationIsIntactAsync(server);
        await server.Client.Sessions.EndAsync(struck.Session);
    }

    [Fact(Timeout = Limit)]
    public async Task SigtermDuringTheStart_ExitsCleanly()
    {
        await using var server = await AshServer.StartAsync();
        var session = (await server.CreateSessionAsync()).Id;
        await server.SendAsync(session, "first");
        await server.KillAsync();
        var record = Path.Combine(server.DataDirectory, "ash.db-shm");
        File.Delete(record);

        using var starting = server.BeginToStart();
        using var probe = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!File.Exists(record))
        {
            await probe.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        ProcessSignals.Send(starting.Id, ProcessSignals.Terminate);
        await starting.WaitForExitAsync(TestContext.Current.CancellationToken);

        // Before the host listens for signals the kernel's default ends it, which is as clean: nothing has begun.
        Assert.Contains(starting.ExitCode, (int[])[0, 128 + 15]);
        await server.StartAgainAsync();
        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await server.SendAsync(session, "second")).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task SigtermDuringRecovery_ParksWhatWasBroughtBack()
    {
        await using var server = await AshServer.StartAsync();
        var session = (await server.CreateSessionAsync()).Id;
        await server.SendAsync(session, "first");
        await server.KillAsync();
        Assert.NotEmpty(server.Processes());

        using var starting = server.BeginToStart();
        await server.WaitForOutputAsync("Adopted sandbox");
        ProcessSignals.Send(starting.Id, ProcessSignals.Terminate);
        await starting.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(0, starting.ExitCode);

        // Adopted ones are no children of the server: the system takes them away a moment after their cgroup.
        await server.WaitUntilNothingRunsAsync();
        Assert.Empty(Sandboxes.RemainsOf(server.ServerId, server.DataDirectory));
        await server.StartAgainAsync();
        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await server.SendAsync(session, "second")).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task SandboxWhoseServerStaysAway_EndsItself()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_ORPHAN_TIMEOUT"] = "2s" },
        });
        var session = (await server.CreateSessionAsync()).Id;
        await server.SendAsync(session, "first");

        await server.KillAsync();
        await server.WaitUntilNothingRunsAsync();
        await server.StartAgainAsync();

        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await server.SendAsync(session, "second")).Result);
        Assert.Contains("sandbox.lost", await server.FactsOfAsync(session));
    }

    [Fact(Timeout = Limit)]
    public async Task UnusedSession_IsPaused_AndItsSandboxEnds_AndAMessageWakesIt()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_IDLE_TIMEOUT_MS"] = "1000", ["ASH_PAUSE_GRACE"] = "0s" },
        });
        var session = (await server.CreateSessionAsync()).Id;
        await server.SendAsync(session, "first");

        var pause = await server.WaitForEventAsync(session, e => e.Body is Lifecycle { Type: "session.paused" });
        await server.WaitUntilNothingRunsAsync();

        Assert.Equal("idle", pause.Json.GetProperty("reason").GetString());
        Assert.Equal("[Resumed session] Turn 2 | History: first | second", (await server.SendAsync(session, "second")).Result);
        Assert.Contains("session.woken", await server.FactsOfAsync(session));
    }

    [Fact(Timeout = Limit)]
    public async Task WakeThatFails_SaysSo_AndWorksOnceItsCauseIsMended()
    {
        var programs = Directory.CreateTempSubdirectory("ash-programs-");
        var bridge = Path.Combine(programs.FullName, "ash-bridge");
        File.Copy(TestPaths.Bridge, bridge);
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_BRIDGE_ENTRY"] = bridge, ["ASH_PAUSE_GRACE"] = "0s" },
        });
        var session = (await server.CreateSessionAsync()).Id;
        await server.SendAsync(session, "first");
        await server.Client.Sessions.PauseAsync(session);
        await server.WaitUntilNothingRunsAsync();

        File.Move(bridge, bridge + ".away");
        var failed = await server.SendAsync(session, "second");

        Assert.Equal(("sandbox_lost", "start_failed", true), (failed.Reason, failed.Code, failed.Retryable));
        Assert.Equal("error", (await server.Client.Sessions.GetAsync(session)).Status);
        File.Move(bridge + ".away", bridge);
        Assert.Equal("[Resumed session] Turn 2 | History: first | third", (await server.SendAsync(session, "third")).Result);
        Assert.Equal("active", (await server.Client.Sessions.GetAsync(session)).Status);
        programs.Delete(recursive: true);
    }

    [Fact(Timeout = Limit)]
    public async Task TurnThatTakesTooLong_EndsAsTimeout_AndTheNextOneWorks()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_TURN_TIMEOUT"] = "5s" },
        });
        var struck = await StruckTurn.BeginAsync(server, Moment.BeforeTheFirstByte);

        Assert.Equal("timeout", (await struck.Sending).Reason);

        await struck.AssertConversationIsIntactAsync(server);
    }
}
