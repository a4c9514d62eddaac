using System.Net;
using Ash.Client;
using Ash.Protocol.Api;
using Ash.Runner.Sandboxes;
using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Sessions;

public class CreateSessionTests
{
    private const int Limit = 60_000;
    private static readonly TimeSpan BridgePatience = TimeSpan.FromSeconds(20);

    [Fact(Timeout = Limit)]
    public async Task SandboxThatCannotStart_LeavesNothing_AndTheSameKeyMayBeUsedAgain()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.StartFailure = new SandboxException("no cgroup");

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => server.CreateSessionAsync("key"));
        Assert.Contains("no cgroup", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("sandbox_failed", refusal.Code);
        await AssertNothingIsLeftAsync(server);

        server.Host.StartFailure = null;
        Assert.Equal("active", (await server.CreateSessionAsync("key")).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task MachineThatFailsTheSelfTest_GetsNoSandbox_UntilItIsMended()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Missing = ["seccomp: the filter was not there; install libseccomp2"];

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => server.CreateSessionAsync());
        Assert.Contains("install libseccomp2", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(0, server.Host.Starts);

        server.Host.Missing = [];
        Assert.Equal("active", (await server.CreateSessionAsync()).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task BridgeThatStaysSilent_LeavesNothing()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.BridgeIsSilent = true;

        var creating = server.CreateSessionAsync("key");
        await server.Clock.WaitBegunAsync(BridgePatience);
        server.Clock.Advance(BridgePatience);

        await Assert.ThrowsAsync<AshApiException>(() => creating);
        await AssertNothingIsLeftAsync(server);
    }

    [Fact(Timeout = Limit)]
    public async Task WorkspaceThatCannotBeMade_LeavesNothing()
    {
        await using var server = await InMemoryServer.StartAsync();
        var first = await server.CreateSessionAsync();
        await server.Client.Sessions.EndAsync(first.Id, purge: true);
        Directory.Delete(server.AgentContents, recursive: true);

        await Assert.ThrowsAsync<AshApiException>(() => server.CreateSessionAsync("key"));
        await AssertNothingIsLeftAsync(server);
    }

    [Theory(Timeout = Limit)]
    [InlineData(null)]
    [InlineData("default")]
    public async Task AgentWhoseFilesAreGone_IsNamed_AndServesAgainOnceItIsDeployed(string? permissionMode)
    {
        await using var server = await InMemoryServer.StartAsync();
        Directory.Delete(server.AgentContents, recursive: true);
        var request = new CreateSessionRequest { Agent = "echo", PermissionMode = permissionMode };

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => server.Client.Sessions.CreateAsync(request, "key"));
        Assert.Equal((HttpStatusCode.Conflict, "agent_content_missing"), (refusal.StatusCode, refusal.Code));
        Assert.Contains("deploy it again", refusal.Message, StringComparison.Ordinal);
        await AssertNothingIsLeftAsync(server);

        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "echo", SystemPrompt = "Echo." });
        Assert.Equal("active", (await server.Client.Sessions.CreateAsync(request, "key")).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task ClientThatLeaves_FindsItsSessionAgain_ByItsKey()
    {
        await using var server = await InMemoryServer.StartAsync();
        var hold = new TaskCompletionSource();
        server.Host.StartHold = hold;
        using var leaving = new CancellationTokenSource();
        var request = new CreateSessionRequest { Agent = "echo" };
        var left = server.Client.Sessions.CreateAsync(request, "key", leaving.Token);
        await server.Host.Started;
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        hold.SetResult();

        var session = await server.CreateSessionAsync("key");
        Assert.Equal("active", session.Status);
        Assert.Equal(1, server.Host.Starts);
        Assert.Equal(session.Id, Assert.Single(await server.Client.Sessions.ListAsync()).Id);
    }

    [Fact(Timeout = Limit)]
    public async Task RequestsWithOneKey_MakeOneSession_HoweverManyComeAtOnce()
    {
        await using var server = await InMemoryServer.StartAsync();
        var sessions = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.CreateSessionAsync("key")));

        Assert.Single(sessions.Select(session => session.Id).Distinct());
        Assert.All(sessions, session => Assert.Equal("active", session.Status));
        Assert.Equal(1, server.Host.Starts);
    }

    [Fact(Timeout = Limit)]
    public async Task RequestsWithOneKey_AreAllRefused_WhereTheStartFails()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.StartFailure = new SandboxException("no cgroup");
        var attempts = Enumerable.Range(0, 8).Select(_ => server.CreateSessionAsync("key")).ToList();
        foreach (var attempt in attempts)
        {
            await Assert.ThrowsAsync<AshApiException>(() => attempt);
        }

        await AssertNothingIsLeftAsync(server);
    }

    [Fact(Timeout = Limit)]
    public async Task RepeatedRequest_LeavesAPausedSessionAsItIs()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync("key");
        await server.Client.Sessions.PauseAsync(session.Id);

        var again = await server.CreateSessionAsync("key");
        Assert.Equal((session.Id, "paused"), (again.Id, again.Status));
        Assert.Equal(1, server.Host.Starts);
    }

    private static async Task AssertNothingIsLeftAsync(InMemoryServer server)
    {
        await using var db = await server.ReadStoreAsync();
        Assert.Equal(0, await db.Sessions.CountAsync());
        Assert.Equal(0, await db.Events.CountAsync());
        Assert.Equal(0, await db.Sandboxes.CountAsync());
        Assert.Equal(0, await db.IdempotencyKeys.CountAsync());
        Assert.Empty(Directory.EnumerateFileSystemEntries(server.Workspaces));
        Assert.Empty(server.Host.Live);
    }
}

[OnDatabase(TestDatabase.Postgres)]
public sealed class CreateSessionOnPostgresTests : CreateSessionTests;
