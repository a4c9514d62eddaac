using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Sessions;

/// <summary>What happens to sessions when time passes.</summary>
public sealed class SweepTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task IdleSession_IsPaused_OnceTheTimeoutHasPassed()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { IdleTimeout = TimeSpan.FromMinutes(10) });
        var session = await server.CreateSessionAsync();

        server.Clock.Advance(TimeSpan.FromMinutes(9));
        await server.SweepIdleSessionsAsync();
        Assert.Equal("active", await server.StatusOfAsync(session));

        server.Clock.Advance(TimeSpan.FromMinutes(2));
        await server.SweepIdleSessionsAsync();
        Assert.Equal("paused", await server.StatusOfAsync(session));
    }

    [Fact(Timeout = Limit)]
    public async Task SessionAtWork_IsNotIdle_HoweverLongItsTurnTakes()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with
        {
            IdleTimeout = TimeSpan.FromMinutes(10),
            TurnTimeout = TimeSpan.FromHours(10),
        });
        var session = await server.CreateSessionAsync();
        server.Host.Manner = CliManner.Waits;
        var turn = await server.BeginTurnAsync(session, "work");

        server.Clock.Advance(TimeSpan.FromHours(1));
        await server.SweepIdleSessionsAsync();
        Assert.Equal("active", await server.StatusOfAsync(session));

        await server.Client.Sessions.InterruptAsync(session.Id);
        Assert.Equal("interrupted", await turn);
    }

    [Fact(Timeout = Limit)]
    public async Task PausedSession_KeepsItsSandbox_ForTheGraceTime()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.PauseAsync(session.Id);
        var sandbox = Assert.Single(server.Host.Live);

        server.Clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(sandbox.Exited.IsCompleted);
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        await sandbox.Exited;
        Assert.Equal("paused", await server.StatusOfAsync(session));

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "wake up"));
        Assert.Equal(2, server.Host.Starts);
    }

    /// <summary>The CLI here has no transcript: it is told each earlier text again, and says in two frames that it has it.</summary>
    [Fact(Timeout = Limit)]
    public async Task WokenSession_GoesOn_OnceItsAgentWasToldWhatItForgot()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        Assert.Equal("completed", await await server.BeginTurnAsync(session, "one"));
        Assert.Equal("completed", await await server.BeginTurnAsync(session, "two"));
        await server.Client.Sessions.StopAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "three"));
    }

    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OverdueTurn_EndsWithTimeout_WhetherTheAgentListensOrNot(bool listens)
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { TurnTimeout = TimeSpan.FromMinutes(30) });
        var session = await server.CreateSessionAsync();
        server.Host.Manner = listens ? CliManner.Waits : CliManner.IsDeaf;
        var turn = await server.BeginTurnAsync(session, "work");
        await server.Clock.TimerArmedAsync(TimeSpan.FromMinutes(30));
        server.Clock.Advance(TimeSpan.FromMinutes(31));
        if (!listens)
        {
            // It was asked; what does not heed that is killed.
            await server.Clock.TimerArmedAsync(TimeSpan.FromSeconds(5));
            server.Clock.Advance(TimeSpan.FromSeconds(6));
        }

        Assert.Equal("timeout", await turn);
    }

    [Fact(Timeout = Limit)]
    public async Task EndedSession_KeepsItsFiles_ForTheRetentionTime()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { EndedRetention = TimeSpan.FromDays(7) });
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.EndAsync(session.Id);

        server.Clock.Advance(TimeSpan.FromDays(6));
        await server.SweepEndedSessionsAsync();
        Assert.Single(Directory.EnumerateDirectories(server.Workspaces));

        server.Clock.Advance(TimeSpan.FromDays(2));
        await server.SweepEndedSessionsAsync();
        Assert.Empty(Directory.EnumerateDirectories(server.Workspaces));

        await using var db = await server.ReadStoreAsync();
        var kept = await db.Sessions.SingleAsync();
        Assert.Null(kept.WorkspaceId);
        Assert.Null(kept.Uid);
        Assert.NotEqual(0, await db.Events.CountAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Purge_RemovesEverything_AndEndsTheStreamsOfWhoeverWatches()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync("create-key");
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        await using var watched = await server.Http.GetStreamAsync($"/api/sessions/{session.Id}/stream");
        using var reader = new StreamReader(watched);
        await reader.ReadLineAsync();

        await server.Client.Sessions.EndAsync(session.Id, purge: true);
        Assert.Contains("session.ended", await reader.ReadToEndAsync(), StringComparison.Ordinal);

        await using var db = await server.ReadStoreAsync();
        Assert.Equal(0, await db.Sessions.CountAsync());
        Assert.Equal(0, await db.Turns.CountAsync());
        Assert.Equal(0, await db.Events.CountAsync());
        Assert.Equal(0, await db.IdempotencyKeys.CountAsync());
        Assert.Empty(Directory.EnumerateDirectories(server.Workspaces));
        Assert.Empty(server.Host.Live);
    }

    [Fact(Timeout = Limit)]
    public async Task Key_IsForgotten_AfterADay()
    {
        await using var server = await InMemoryServer.StartAsync();
        var first = await server.CreateSessionAsync("key");

        server.Clock.Advance(TimeSpan.FromHours(23));
        await server.SweepEndedSessionsAsync();
        Assert.Equal(first.Id, (await server.CreateSessionAsync("key")).Id);

        server.Clock.Advance(TimeSpan.FromHours(2));
        await server.SweepEndedSessionsAsync();
        Assert.NotEqual(first.Id, (await server.CreateSessionAsync("key")).Id);
    }

    [Fact(Timeout = Limit)]
    public async Task Deltas_ArePruned_AfterTheirRetention_AndTheStreamSaysWhich()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { DeltaRetention = TimeSpan.FromDays(7) });
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        var whole = await server.ReadStreamAsync(session);
        var withoutDeltas = await server.ReadStreamAsync(session, "&partial=false");
        Assert.Contains("\"an\"", whole, StringComparison.Ordinal);

        server.Clock.Advance(TimeSpan.FromDays(6));
        await server.SweepDeltasAsync();
        Assert.Equal(whole, await server.ReadStreamAsync(session));

        server.Clock.Advance(TimeSpan.FromDays(2));
        await server.SweepDeltasAsync();
        var pruned = await server.ReadStoreAsync(session);
        Assert.DoesNotContain("\"an\"", pruned, StringComparison.Ordinal);
        Assert.Contains(": pruned ", pruned, StringComparison.Ordinal);
        Assert.Equal(withoutDeltas, await server.ReadStreamAsync(session, "&partial=false"));

        // Once is enough: the turn is not looked at again.
        await using var db = await server.ReadStoreAsync();
        Assert.NotNull((await db.Turns.SingleAsync()).DeltasPrunedAt);
    }
}
