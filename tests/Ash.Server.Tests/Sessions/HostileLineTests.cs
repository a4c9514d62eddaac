using Ash.Server.Tests.InMemory;

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
