using System.Net;
using System.Net.Http.Json;
using Ash.Protocol.Api;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Tests.InMemory;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Sessions;

/// <summary>A fork goes on from where its parent is; from then on neither knows of the other.</summary>
public sealed class ForkTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Fork_HasFilesHistoryAndOptionsOfItsParent_AndIsPaused()
    {
        await using var server = await InMemoryServer.StartAsync();
        var parent = await server.Client.Sessions.CreateAsync(new CreateSessionRequest
        {
            Agent = "echo", Model = "claude-m", SystemPrompt = "p", ExtraEnv = new Dictionary<string, string> { ["KEY"] = "value" }, DisallowedTools = ["Bash"],
        });
        await server.Client.Sessions.SendMessageAndWaitAsync(parent.Id, "one");
        await server.Client.Sessions.SendMessageAndWaitAsync(parent.Id, "two");
        await File.WriteAllTextAsync(Path.Combine(WorkOf(server, parent), "notes.txt"), "noted");

        var fork = await ForkAsync(server, parent);

        Assert.Equal(("paused", parent.Id, parent.AgentVersion, "claude-m"), (fork.Status, fork.ParentSessionId, fork.AgentVersion, fork.Model));
        Assert.Equal(parent.Config!.DisallowedTools, fork.Config!.DisallowedTools);
        Assert.Equal("noted", await File.ReadAllTextAsync(Path.Combine(WorkOf(server, fork), "notes.txt")));
        var ofParent = await server.Client.Sessions.ListMessagesAsync(parent.Id);
        var ofFork = await server.Client.Sessions.ListMessagesAsync(fork.Id);
        Assert.Equal(
            ofParent.Select(message => (message.Role, message.Content, message.Sequence, message.CreatedAt)),
            ofFork.Select(message => (message.Role, message.Content, message.Sequence, message.CreatedAt)));
        Assert.Empty(ofParent.Select(message => message.Id).Intersect(ofFork.Select(message => message.Id)));
        var last = (await server.Client.Sessions.ListEventsAsync(fork.Id))[^1];
        Assert.Contains("\"action\":\"forked\"", last.Data, StringComparison.Ordinal);
        Assert.Contains(parent.Id.ToString(), last.Data, StringComparison.Ordinal);
        await using var store = await server.ReadStoreAsync();
        var stored = await store.Sessions.SingleAsync(session => session.Id == fork.Id, TestContext.Current.CancellationToken);
        Assert.Contains("value", server.Get<SealedSessions>().Open(stored).ExtraEnv!.Values);
    }

    [Fact(Timeout = Limit)]
    public async Task ForksAgent_KnowsTheConversation_AndTheParentGoesItsOwnWay()
    {
        await using var server = await InMemoryServer.StartAsync();
        var parent = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(parent.Id, "before the fork");
        var fork = await ForkAsync(server, parent);
        await server.Client.Sessions.SendMessageAndWaitAsync(parent.Id, "only in the parent");
        server.Host.Told.Clear();

        var turn = await server.Client.Sessions.SendMessageAndWaitAsync(fork.Id, "only in the fork");

        Assert.Equal("completed", turn.Reason);
        Assert.Contains(server.Host.Told, line => line.Contains("before the fork", StringComparison.Ordinal));
        Assert.DoesNotContain(server.Host.Told, line => line.Contains("only in the parent", StringComparison.Ordinal));
        Assert.DoesNotContain(
            await server.Client.Sessions.ListMessagesAsync(parent.Id), message => message.Content.Contains("only in the fork", StringComparison.Ordinal));
        var stream = await server.ReadStreamAsync(fork);
        Assert.Contains("before the fork", stream, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task RunningTurn_AndWhatWaits_AreNotForked_AndGoOn()
    {
        await using var server = await InMemoryServer.StartAsync();
        var parent = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(parent.Id, "done");
        server.Host.Manner = CliManner.Waits;
        var running = await server.BeginTurnAsync(parent, "running");
        var waiting = await server.BeginTurnAsync(parent, "waiting");

        var fork = await ForkAsync(server, parent);

        Assert.Null(fork.Turn);
        Assert.Equal(2, (await server.Client.Sessions.GetAsync(parent.Id)).Turn!.Queued + 1);
        var texts = (await server.Client.Sessions.ListMessagesAsync(fork.Id)).Where(message => message.Role == "user").Select(message => message.Content);
        Assert.Contains("done", Assert.Single(texts), StringComparison.Ordinal);
        await server.Client.Sessions.InterruptAsync(parent.Id);
        await running;
        await server.Client.Sessions.InterruptAsync(parent.Id);
        Assert.Equal("interrupted", await waiting);
    }

    [Fact(Timeout = Limit)]
    public async Task SessionThatWaitsForAPlace_IsForkedAtOnce_AndStartsAfterwards()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { MaxSandboxes = 1 });
        var parent = await server.CreateSessionAsync();
        var busy = await server.CreateSessionAsync();
        server.Host.Manner = CliManner.Waits;
        var turn = await server.BeginTurnAsync(busy, "work");
        var waiting = await server.BeginTurnAsync(parent, "later");

        var fork = await ForkAsync(server, parent);

        Assert.Equal(("paused", "paused"), (fork.Status, await server.StatusOfAsync(parent)));
        Assert.Null(fork.Turn);
        server.Host.Manner = CliManner.Answers;
        await server.Client.Sessions.InterruptAsync(busy.Id);
        Assert.Equal(("interrupted", "completed"), (await turn, await waiting));
    }

    [Theory(Timeout = Limit)]
    [InlineData("paused")]
    [InlineData("stopped")]
    [InlineData("error")]
    [InlineData("ended")]
    public async Task Fork_WorksFromEveryState(string status)
    {
        await using var server = await InMemoryServer.StartAsync();
        var parent = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(parent.Id, "hello");
        await BringToAsync(server, parent, status);
        Assert.Equal(status, await server.StatusOfAsync(parent));

        var fork = await ForkAsync(server, parent);

        Assert.Equal(status, await server.StatusOfAsync(parent));
        Assert.Equal("completed", (await server.Client.Sessions.SendMessageAndWaitAsync(fork.Id, "on")).Reason);
        Assert.Equal("active", await server.StatusOfAsync(fork));
    }

    [Fact(Timeout = Limit)]
    public async Task SessionWithoutATurn_IsForked()
    {
        await using var server = await InMemoryServer.StartAsync();
        var fork = await ForkAsync(server, await server.CreateSessionAsync());
        var ofFork = await ForkAsync(server, fork);

        Assert.Equal(fork.Id, ofFork.ParentSessionId);
        Assert.Equal("completed", (await server.Client.Sessions.SendMessageAndWaitAsync(ofFork.Id, "on")).Reason);
    }

    [Fact(Timeout = Limit)]
    public async Task SessionWhoseFilesAreGone_CannotBeForked()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { EndedRetention = TimeSpan.Zero });
        var parent = await server.CreateSessionAsync();
        await server.Client.Sessions.EndAsync(parent.Id);
        server.Clock.Advance(TimeSpan.FromDays(1));
        await server.SweepEndedSessionsAsync();

        using var answer = await server.Http.PostAsync($"/api/sessions/{parent.Id}/fork", null);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("workspace_not_found", (await answer.Content.ReadFromJsonAsync(ApiJson.Default.ApiError))!.Code);
    }

    [Fact(Timeout = Limit)]
    public async Task SameKey_GivesTheSameFork()
    {
        await using var server = await InMemoryServer.StartAsync();
        var parent = await server.CreateSessionAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => ForkAsync(server, parent, "key")));

        var fork = Assert.Single(answers.Select(answer => answer.Id).Distinct());
        Assert.NotEqual(fork, (await ForkAsync(server, parent, "other")).Id);
        Assert.Equal(3, (await server.Client.Sessions.ListAsync()).Count);
        Assert.Equal(3, Directory.GetDirectories(server.Workspaces).Length);
    }

    [Fact(Timeout = Limit)]
    public async Task AttachmentsAndLargeEvents_AreTheForksOwn()
    {
        await using var server = await InMemoryServer.StartAsync();
        server.Host.Answer = new string('x', 1_500_000);
        var parent = await server.CreateSessionAsync();
        await server.Client.Attachments.AddAsync(parent.Id, "a.txt", new MemoryStream("attached"u8.ToArray()));
        await server.Client.Sessions.SendMessageAndWaitAsync(parent.Id, "much");
        var fork = await ForkAsync(server, parent);
        using var purged = await server.Http.DeleteAsync($"/api/sessions/{parent.Id}?purge=true");

        var attachment = Assert.Single(await server.Client.Attachments.ListAsync(fork.Id));
        Assert.Equal("attached", await server.Http.GetStringAsync($"/api/attachments/{attachment.Id}"));
        Assert.Contains(server.Host.Answer, await server.ReadStreamAsync(fork), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task SessionWhoseFilesAreRemovedMeanwhile_IsSaidToHaveNone()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { EndedRetention = TimeSpan.FromHours(1) });
        var parent = await server.CreateSessionAsync();
        await server.Client.Sessions.EndAsync(parent.Id);
        Directory.Delete(WorkOf(server, parent), recursive: true);

        using var answer = await server.Http.PostAsync($"/api/sessions/{parent.Id}/fork", content: null);

        Assert.Equal("workspace_not_found", (await answer.Content.ReadFromJsonAsync(ApiJson.Default.ApiError))!.Code);
    }

    [Fact(Timeout = Limit)]
    public async Task ForkThatFails_LeavesNothing_AndSaysWhy()
    {
        await using var server = await InMemoryServer.StartAsync();
        var parent = await server.CreateSessionAsync();
        Directory.Delete(WorkOf(server, parent), recursive: true);

        using var answer = await server.Http.PostAsync($"/api/sessions/{parent.Id}/fork", null);

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Equal("fork_failed", (await answer.Content.ReadFromJsonAsync(ApiJson.Default.ApiError))!.Code);
        Assert.Equal(1, await (await server.ReadStoreAsync()).Sessions.CountAsync());
        Assert.Single(Directory.GetDirectories(server.Workspaces));
        Assert.Equal("completed", (await server.Client.Sessions.SendMessageAndWaitAsync(parent.Id, "on")).Reason);
    }

    [Fact(Timeout = Limit)]
    public async Task ForkThatAServerDiedOver_IsNobodys_AndGoesWithTheNextStart()
    {
        await using var server = await InMemoryServer.StartAsync();
        var parent = await server.CreateSessionAsync();
        var fork = await ForkAsync(server, parent);
        await server.Get<StoreWriter>().WriteAsync(Durability.Process, transaction => transaction.Db.Sessions
            .Where(session => session.Id == fork.Id)
            .ExecuteUpdate(update => update.SetProperty(s => s.TenantId, string.Empty).SetProperty(s => s.Status, SessionStatus.Starting)));

        Assert.Equal(parent.Id, Assert.Single(await server.Client.Sessions.ListAsync()).Id);
        var half = await (await server.ReadStoreAsync()).Sessions.SingleAsync(session => session.Id == fork.Id);
        await server.Get<SessionDirectory>().FinishCreationAsync(half);

        Assert.Equal(1, await (await server.ReadStoreAsync()).Sessions.CountAsync());
        Assert.Single(Directory.GetDirectories(server.Workspaces));
    }

    private static async Task BringToAsync(InMemoryServer server, SessionInfo session, string status)
    {
        switch (status)
        {
            case "paused":
                await server.Client.Sessions.PauseAsync(session.Id);
                break;
            case "stopped":
                await server.Client.Sessions.StopAsync(session.Id);
                break;
            case "ended":
                await server.Client.Sessions.EndAsync(session.Id);
                break;
            case "error":
                await server.Client.Sessions.StopAsync(session.Id);
                server.Host.StartFailure = new("no");
                using (await server.Http.PostAsync($"/api/sessions/{session.Id}/resume", null))
                {
                    server.Host.StartFailure = null;
                }

                break;
        }
    }

    private static async Task<SessionInfo> ForkAsync(InMemoryServer server, SessionInfo session, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session.Id}/fork");
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        using var answer = await server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync(ApiJson.Default.SessionEnvelope))!.Session;
    }

    private static string WorkOf(InMemoryServer server, SessionInfo session)
    {
        using var db = server.ReadStoreAsync().Result;
        return Path.Combine(server.Workspaces, db.Sessions.Single(stored => stored.Id == session.Id).WorkspaceId!.Value.ToString(), "work");
    }
}
