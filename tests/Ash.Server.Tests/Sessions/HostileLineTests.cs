using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Sessions;

/// <summary>Lines that no CLI writes; every process in a sandbox can.</summary>
public sealed class HostileLineTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task HalfASurrogatePair_IsNoText_AndTheTurnEndsAllTheSame()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Answer = """before \ud800 after""";
        var session = await server.CreateSessionAsync();

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "one"));
        Assert.Equal("before \ufffd after", (await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "two")).Result);
    }

    [Fact(Timeout = Limit)]
    public async Task LineWithSuchAnId_DoesNotKeepTheNextProcessFromItsStart()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Remark = """{"type":"assistant","uuid":"\ud8001111-1111-4111-8111-111111111111","message":{"content":[]},"\udc00":1}""";
        var session = await server.CreateSessionAsync();
        Assert.Equal("completed", await await server.BeginTurnAsync(session, "one"));

        await server.Client.Sessions.StopAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "two"));
    }

    [Fact(Timeout = Limit)]
    public async Task Rubbish_IsCounted_AndNotStoredLineByLine()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Remark = "rubbish";
        server.Host.Remarks = 5000;
        var session = await server.CreateSessionAsync();

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "one"));

        await using var db = await server.ReadStoreAsync();
        Assert.InRange(await db.Events.CountAsync(), 8, 40);
        Assert.Contains("4096 so far", await server.ReadStreamAsync(session), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Flood_EndsItsTurn_AndTheNextMessageWorks()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { TurnOutputBytes = 1024 * 1024 });
        server.Host.Remark = $$"""{"type":"stream_event","event":"{{new string('x', 10_000)}}"}""";
        server.Host.Remarks = 200;
        server.Host.Manner = CliManner.Waits;
        var session = await server.CreateSessionAsync();

        Assert.Equal("sandbox_lost", await await server.BeginTurnAsync(session, "one"));

        await using var db = await server.ReadStoreAsync();
        Assert.Equal("output_limit", await db.Turns.Select(turn => turn.Code).SingleAsync());
        Assert.InRange(await db.Events.CountAsync(), 100, 130);
        server.Host.Remark = null;
        server.Host.Manner = CliManner.Answers;
        Assert.Equal("completed", await await server.BeginTurnAsync(session, "two"));
    }

    [Fact(Timeout = Limit)]
    public async Task ClearedConversation_StaysCleared_WhereItsLineIsTheOnlyOneOfItsFrame()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var next = Guid.NewGuid();
        server.Host.Remark = $$"""{"type":"conversation_reset","new_conversation_id":"{{next}}"}""";
        Assert.Equal("completed", await await server.BeginTurnAsync(session, "/clear"));
        server.Host.Remark = null;

        await server.Client.Sessions.StopAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "two"));
        Assert.Contains(server.Host.CliArguments, argument => argument.EndsWith($"={next}", StringComparison.Ordinal));
    }
}
