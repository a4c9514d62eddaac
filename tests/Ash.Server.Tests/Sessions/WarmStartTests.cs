using Ash.Client;
using Ash.Protocol.Api;
using Ash.Runner.Sandboxes;
using Ash.Server.Runners;
using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;
using Ash.Server.Warm;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Sessions;

/// <summary>Sandboxes that are started before a session needs them.</summary>
public sealed class WarmStartTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task NewSession_TakesTheSandboxThatWaits_AndIsAsAnyOther()
    {
        await using var server = await StartAsync();
        await WaitForWarmAsync(server, 1);
        await using var store = await server.ReadStoreAsync();
        var waiting = await store.Sandboxes.AsNoTracking().SingleAsync();

        var session = await server.CreateSessionAsync();

        Assert.Equal(waiting.SessionId, session.Id);
        Assert.Equal("active", session.Status);
        Assert.Equal(1, server.Host.Starts);
        var log = await server.ReadStreamAsync(session);
        Assert.Contains($"\"sandbox\":\"{waiting.Id}\"", log, StringComparison.Ordinal);
        Assert.Equal("completed", await await server.BeginTurnAsync(session, "hello"));
        var stored = await store.Sessions.AsNoTracking().SingleAsync();
        Assert.Equal((waiting.WorkspaceId, waiting.Uid), (stored.WorkspaceId, stored.Uid));
        Assert.Null((await store.Sandboxes.AsNoTracking().SingleAsync(sandbox => sandbox.Id == waiting.Id)).WorkspaceId);
        Assert.Equal(1, (await server.Client.GetHealthAsync()).Pool.PreWarmHits);
    }

    [Fact(Timeout = Limit)]
    public async Task ClaimedOnes_AreReplaced_OneAfterAnother()
    {
        await using var server = await StartAsync(perAgent: 2);
        await WaitForWarmAsync(server, 2);

        var first = await server.CreateSessionAsync();
        var second = await server.CreateSessionAsync();

        Assert.NotEqual(first.Id, second.Id);
        await WaitForWarmAsync(server, 2);
        Assert.Equal(4, server.Host.Starts);
        Assert.Equal(2, (await server.Client.GetHealthAsync()).Pool.Warm);
        Assert.Equal(4, server.Get<SandboxPlaces>().Taken);
    }

    [Theory(Timeout = Limit)]
    [InlineData("env")]
    [InlineData("mode")]
    public async Task SessionThatNeedsAnotherStart_StartsCold(string difference)
    {
        await using var server = await StartAsync();
        await WaitForWarmAsync(server, 1);

        var session = await server.Client.Sessions.CreateAsync(difference == "env"
            ? new CreateSessionRequest { Agent = "echo", ExtraEnv = new Dictionary<string, string> { ["NAME"] = "value" } }
            : new CreateSessionRequest { Agent = "echo", PermissionMode = "permissionsByAgent" });

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "hello"));
        Assert.Equal(2, server.Host.Starts);
        Assert.Equal(1, server.Get<WarmSandboxes>().Count);
        Assert.Equal(0, server.Get<PoolCounters>().StartedWarm);
    }

    [Fact(Timeout = Limit)]
    public async Task ModelAndPromptOfASession_AreToldToTheWaitingCli()
    {
        await using var server = await StartAsync();
        await WaitForWarmAsync(server, 1);

        var session = await server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "echo", Model = "other", SystemPrompt = "Be other." });

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "hello"));
        Assert.Equal(1, server.Get<PoolCounters>().StartedWarm);
        Assert.Contains(server.Host.Told, line => line.Contains("\"initialize\"", StringComparison.Ordinal) && line.Contains("Be other.", StringComparison.Ordinal));
        Assert.Contains(server.Host.Told, line => line.Contains("\"set_model\"", StringComparison.Ordinal) && line.Contains("\"other\"", StringComparison.Ordinal));
    }

    [Theory(Timeout = Limit)]
    [InlineData("files")]
    [InlineData("env")]
    public async Task NewVersion_EndsWhatWaitsForTheOld(string change)
    {
        await using var server = await StartAsync();
        await WaitForWarmAsync(server, 1);
        await using var store = await server.ReadStoreAsync();
        var old = await store.Sandboxes.AsNoTracking().SingleAsync();

        await server.Client.Agents.DeployAsync(change == "files"
            ? new DeployAgentRequest { Name = "echo", SystemPrompt = "Echo louder." }
            : new DeployAgentRequest { Name = "echo", SystemPrompt = "Echo.", Env = new Dictionary<string, string> { ["NAME"] = "value" } });
        var session = await server.CreateSessionAsync();

        Assert.NotEqual(old.SessionId, session.Id);
        await WaitUntilAsync(server, () => !store.Sandboxes.Any(sandbox => sandbox.Id == old.Id));
        Assert.False(Directory.Exists(Path.Combine(server.Workspaces, old.WorkspaceId.ToString()!)));
        await WaitForWarmAsync(server, 1);
    }

    [Fact(Timeout = Limit)]
    public async Task DeletedAgent_LeavesNothingThatWaits()
    {
        await using var server = await StartAsync();
        await WaitForWarmAsync(server, 1);

        await server.Client.Agents.DeleteAsync("echo");

        await using var store = await server.ReadStoreAsync();
        Assert.Empty(server.Host.Live);
        Assert.False(await store.Sandboxes.AnyAsync());
        Assert.Empty(Directory.EnumerateFileSystemEntries(server.Workspaces));
        Assert.Equal(0, server.Get<SandboxPlaces>().Taken);
    }

    [Fact(Timeout = Limit)]
    public async Task SessionThatNeedsThePlace_GetsIt()
    {
        await using var server = await StartAsync(places: 1);
        await WaitForWarmAsync(server, 1);

        var session = await server.Client.Sessions.CreateAsync(
            new CreateSessionRequest { Agent = "echo", ExtraEnv = new Dictionary<string, string> { ["NAME"] = "value" } });

        Assert.Equal("active", session.Status);
        Assert.Equal(0, server.Get<WarmSandboxes>().Count);
        Assert.Equal((1, 1), (server.Host.MostLive, server.Get<SandboxPlaces>().Taken));
    }

    [Fact(Timeout = Limit)]
    public async Task WaitingSandboxThatDies_IsReplaced_AndNoSessionGetsIt()
    {
        await using var server = await StartAsync();
        await WaitForWarmAsync(server, 1);

        await Assert.Single(server.Host.Live).DieAsync();
        var session = await server.CreateSessionAsync();

        Assert.Equal("completed", await await server.BeginTurnAsync(session, "hello"));
        await WaitForWarmAsync(server, 1);
        Assert.Equal(2, server.Host.Live.Count);
    }

    [Fact(Timeout = Limit)]
    public async Task AgentThatNobodyUses_HasNoneAfterAWhile()
    {
        await using var server = await StartAsync();
        await WaitForWarmAsync(server, 1);

        server.Clock.Advance(TimeSpan.FromHours(1));

        await WaitUntilAsync(server, () => server.Host.Live.Count == 0);
        Assert.Equal(0, server.Get<WarmSandboxes>().Count);
    }

    [Fact(Timeout = Limit)]
    public async Task RepeatedCreate_TakesOneSandboxOnly()
    {
        await using var server = await StartAsync();
        await WaitForWarmAsync(server, 1);

        var sessions = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.CreateSessionAsync("key")));

        var id = Assert.Single(sessions.Select(session => session.Id).Distinct());
        Assert.Equal("active", (await server.Client.Sessions.GetAsync(id)).Status);
        await using var store = await server.ReadStoreAsync();
        Assert.Single(await store.Sessions.ToListAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task AgentThatCannotStart_IsLeftAlone_AndItsSessionsSayWhy()
    {
        await using var warm = await StartAsync(prepare: host => host.StartFailure = new SandboxException("no sandbox today"));
        await WaitUntilAsync(warm, () => warm.Host.Starts == 1 && warm.Get<SandboxPlaces>().Taken == 0);

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => warm.CreateSessionAsync());
        Assert.Contains("no sandbox today", refusal.Message, StringComparison.Ordinal);
        await using var store = await warm.ReadStoreAsync();
        await WaitUntilAsync(warm, () => !store.Sandboxes.Any());
        Assert.Empty(Directory.EnumerateFileSystemEntries(warm.Workspaces));
    }

    [Fact(Timeout = Limit)]
    public async Task StoreThatCannotBeReadForAMoment_DoesNotEndThePool()
    {
        var contexts = new FailingContexts();
        await using var server = await InMemoryServer.StartAsync(
            settings => settings with { WarmSandboxes = 1, MemoryReserveMb = 0 }, services => contexts.Replace(services));
        await WaitForWarmAsync(server, 1);
        contexts.FailuresLeft = 1;
        server.Get<WarmSandboxes>().NoteChange();
        await WaitUntilAsync(server, () => contexts.FailuresLeft == 0);

        await server.CreateSessionAsync();

        await WaitForWarmAsync(server, 1);
        Assert.Equal(2, server.Host.Starts);
    }

    private static Task<InMemoryServer> StartAsync(int perAgent = 1, int places = 10, Action<ScriptedSandboxHost>? prepare = null) =>
        InMemoryServer.StartAsync(settings => settings with { WarmSandboxes = perAgent, MaxSandboxes = places, MemoryReserveMb = 0 }, prepare: prepare);

    /// <summary>Each start is given its time on the test's clock.</summary>
    private static Task WaitForWarmAsync(InMemoryServer server, int count) =>
        WaitUntilAsync(server, () => server.Get<WarmSandboxes>().Count == count);

    private static async Task WaitUntilAsync(InMemoryServer server, Func<bool> isSo)
    {
        while (!isSo())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            server.Clock.Advance(TimeSpan.FromSeconds(0.5));
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }
    }
}
