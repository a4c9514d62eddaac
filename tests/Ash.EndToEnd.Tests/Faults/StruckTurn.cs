using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Faults;

/// <summary>A session with one turn behind it and a second one held where a fault is to strike.</summary>
internal sealed class StruckTurn
{
    private StruckTurn(Guid session, Guid turn, string gate, Task<TurnInfo> sending, Moment moment)
    {
        Session = session;
        Turn = turn;
        Gate = gate;
        Sending = sending;
        Moment = moment;
    }

    public Guid Session { get; }

    public Guid Turn { get; }

    public string Gate { get; }

    public Moment Moment { get; }

    /// <summary>The client that waits for the turn.</summary>
    public Task<TurnInfo> Sending { get; }

    public static async Task<StruckTurn> BeginAsync(AshServer server, Moment moment)
    {
        var session = (await server.CreateSessionAsync()).Id;
        await server.SendAsync(session, "first");
        var gate = "gate-" + Guid.NewGuid().ToString("N");
        var text = "second-" + gate;
        Task? toolRuns = null;
        switch (moment)
        {
            case Moment.BeforeTheFirstByte:
                Queue(server, text, $$"""{"text":"never mind","gate":"{{gate}}"}""");
                break;
            case Moment.WithinADelta:
                Queue(server, text, $$"""{"text":"one two three four","chunk":3,"gateAfterChunks":2,"gate":"{{gate}}"}""");
                break;
            default:
                await server.ExecAsync(session, "mkfifo begun go");
                Queue(server, text, """{"text":"I will run it","tool":{"name":"Bash","input":{"command":"echo ran >> ran.txt; echo > begun; cat go","description":"d"}}}""");
                toolRuns = server.Client.Sessions.ExecAsync(session, new ExecRequest { Command = "cat begun", Timeout = 60_000 });
                break;
        }

        var sending = server.SendAsync(session, text);
        var turn = await server.WaitForStartedAsync(session, 2);
        await (toolRuns ?? server.Model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken));
        if (moment == Moment.WithinADelta)
        {
            await server.WaitForEventAsync(session, e => e.Body is Client.Events.TextDelta { Delta: "one" });
        }

        return new StruckTurn(session, turn, gate, sending, moment);
    }

    /// <summary>Lets go what holds the turn.</summary>
    public async Task ReleaseAsync(AshServer server)
    {
        server.Model.Release(Gate);
        if (Moment == Moment.WithinATool)
        {
            await server.ExecAsync(Session, "echo > go");
        }
    }

    /// <summary>The next message works, and the model is told everything that was said before.</summary>
    public async Task AssertConversationIsIntactAsync(AshServer server)
    {
        var next = await server.SendAsync(Session, "third");

        Assert.Equal("completed", next.Reason);
        Assert.Equal($"[Resumed session] Turn 3 | History: first | second-{Gate} | third", next.Result);
        var told = server.LastModelCall();
        Assert.Contains("[Mock] Turn 1 | History: first", told, StringComparison.Ordinal);
        if (Moment == Moment.WithinATool)
        {
            Assert.Contains("I will run it", told, StringComparison.Ordinal);
            Assert.Equal("ran\n", (await server.ExecAsync(Session, "cat ran.txt")).Stdout);
        }
    }

    private static void Queue(AshServer server, string text, string step) => server.Model.Queue(
        $$"""{{step[..^1]}},"when":{"prompt":"{{text}}$"} }""");
}
