using System.Net;
using System.Text.Json;
using Ash.Client.Tests.Scripted;
using Ash.Protocol.Api;
using Microsoft.AspNetCore.Http;

namespace Ash.Client.Tests;

public sealed class CallTests
{
    private static readonly Guid Session = new("019a0000-0000-7000-8000-000000000001");
    private static readonly string SessionJson =
        $$"""
        {"session":{"id":"{{Session}}","tenantId":"default","agentName":"a","sandboxId":"{{Session}}","status":"active","runnerId":null,
        "parentSessionId":null,"createdAt":"2026-01-15T10:00:00.000Z","lastActiveAt":"2026-01-15T10:00:00.000Z","future":1} }
        """;

    private const string AgentJson =
        """{"agent":{"id":"019a0000-0000-7000-8000-000000000002","name":"a b","tenantId":"default","version":3,"path":"/x","contentHash":"00","createdAt":"2026-01-15T10:00:00.000Z","updatedAt":"2026-01-15T10:00:00.000Z"}}""";

    [Fact]
    public async Task EverySessionCall_HasItsMethodAndPath()
    {
        await using var api = await ScriptedApi.StartAsync();
        var path = $"/api/sessions/{Session}";
        api.On("POST /api/sessions", SessionJson, 201)
            .On("GET /api/sessions", """{"sessions":[]}""")
            .On($"GET {path}", SessionJson)
            .On($"POST {path}/pause", SessionJson)
            .On($"POST {path}/resume", SessionJson)
            .On($"POST {path}/stop", SessionJson)
            .On($"POST {path}/interrupt", """{"interrupted":true,"turnId":null}""")
            .On($"POST {path}/exec", """{"exitCode":3,"stdout":"o","stderr":"e"}""")
            .On($"GET {path}/messages", """{"messages":[]}""")
            .On($"GET {path}/events", """{"events":[]}""")
            .On($"DELETE {path}", SessionJson);
        using var client = Client(api.Url);
        var sessions = client.Sessions;

        Assert.Equal(Session, (await sessions.CreateAsync(new CreateSessionRequest { Agent = "a" }, "key", Stop)).Id);
        Assert.Empty(await sessions.ListAsync("a/b", cancellationToken: Stop));
        Assert.Equal("active", (await sessions.GetAsync(Session, Stop)).Status);
        Assert.Equal(Session, (await sessions.PauseAsync(Session, Stop)).Id);
        Assert.Equal(Session, (await sessions.ResumeAsync(Session, Stop)).Id);
        Assert.Equal(Session, (await sessions.StopAsync(Session, Stop)).Id);
        Assert.True((await sessions.InterruptAsync(Session, Stop)).Interrupted);
        Assert.Equal(new ExecResult(3, "o", "e"), await sessions.ExecAsync(Session, new ExecRequest { Command = "ls" }, Stop));
        Assert.Empty(await sessions.ListMessagesAsync(Session, after: 5, cancellationToken: Stop));
        Assert.Empty(await sessions.ListEventsAsync(Session, after: 6, limit: 7, type: "text", cancellationToken: Stop));
        Assert.Equal(Session, (await sessions.EndAsync(Session, purge: true, Stop)).Id);
        Assert.Equal(Session, (await sessions.EndAsync(Session, cancellationToken: Stop)).Id);

        Assert.Equal(
            ["", "?agent=a%2Fb", "", "", "", "", "", "", "?after=5&limit=100", "?after=6&limit=7&type=text", "?purge=true", ""],
            api.Requests.Select(request => request.Query));
        Assert.Equal("key", api.Requests.First().IdempotencyKey);
    }

    [Fact]
    public async Task EveryAgentCall_HasItsMethodAndPath()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/agents", AgentJson, 201)
            .On("GET /api/agents", """{"agents":[]}""")
            .On("GET /api/agents/a b", AgentJson)
            .On("DELETE /api/agents/a b", """{"ok":true}""");
        using var client = Client(api.Url);

        Assert.Equal(3, (await client.Agents.DeployAsync("a b", [new AgentFile("CLAUDE.md", "IyBh")], cancellationToken: Stop)).Version);
        Assert.Equal("a b", (await client.Agents.DeployPathAsync("a b", "/x", cancellationToken: Stop)).Name);
        Assert.Empty(await client.Agents.ListAsync(Stop));
        Assert.Null((await client.Agents.GetAsync("a b", Stop)).Env);
        await client.Agents.DeleteAsync("a b", Stop);

        using var body = JsonDocument.Parse(api.Requests.First().Body);
        Assert.Equal("CLAUDE.md", body.RootElement.GetProperty("files")[0].GetProperty("path").GetString());
    }

    [Fact]
    public async Task KeyAndPrefix_AreSentWithEveryRequest()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /behind/a/proxy/api/agents", """{"agents":[]}""");
        using var client = Client(new Uri(api.Url, "/behind/a/proxy/"), "secret");

        await client.Agents.ListAsync(Stop);

        Assert.Equal("Bearer secret", Assert.Single(api.Requests).Authorization);
    }

    [Fact]
    public async Task ServerThatIsNotReady_SaysWhatIsMissing()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /health/ready", """{"ready":false,"missing":["the CLI: run make setup"]}""", 503);
        using var client = Client(api.Url);

        var readiness = await client.GetReadinessAsync(Stop);

        Assert.False(readiness.Ready);
        Assert.Equal(["the CLI: run make setup"], readiness.Missing);
    }

    [Theory]
    [InlineData("""{"error":"Session is stopped","statusCode":400,"code":"session_stopped","requestId":"r1"}""", "Session is stopped", "session_stopped", "r1")]
    [InlineData("""{"statusCode":400,"code":"FST_ERR_VALIDATION","error":"Bad Request","message":"body is wrong"}""", "body is wrong", "FST_ERR_VALIDATION", "header-id")]
    [InlineData("""{"error":"API key not found"}""", "API key not found", null, "header-id")]
    [InlineData("<html>no</html>", "The server answered 400 Bad Request.", null, "header-id")]
    [InlineData("", "The server answered 400 Bad Request.", null, "header-id")]
    [InlineData("[]", "The server answered 400 Bad Request.", null, "header-id")]
    public async Task Refusal_IsRead_WhateverItsShape(string body, string message, string? code, string requestId)
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/agents", async context =>
        {
            context.Response.StatusCode = 400;
            context.Response.Headers["X-Request-Id"] = "header-id";
            await context.Response.WriteAsync(body);
        });
        using var client = Client(api.Url);

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => client.Agents.ListAsync(Stop));

        Assert.Equal(
            (HttpStatusCode.BadRequest, message, code, requestId),
            (refusal.StatusCode, refusal.Message, refusal.Code, refusal.RequestId));
    }

    [Fact]
    public async Task AnswerOfAnotherKindOfServer_IsNamedSo()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /health", context => context.Response.WriteAsync("<html>hello</html>"));
        using var client = Client(api.Url);

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => client.GetHealthAsync(Stop));

        Assert.Equal("invalid_answer", refusal.Code);
    }

    [Fact]
    public async Task NoServer_IsNamedWithItsAddress()
    {
        var api = await ScriptedApi.StartAsync();
        using var client = Client(api.Url);
        await api.DisposeAsync();

        var failure = await Assert.ThrowsAsync<AshConnectionException>(() => client.GetHealthAsync(Stop));

        Assert.Equal(client.ServerUrl, failure.ServerUrl);
        Assert.Contains($"127.0.0.1:{client.ServerUrl.Port}", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallWithoutAnswerInTime_Fails()
    {
        await using var api = await ScriptedApi.StartAsync();
        var left = new TaskCompletionSource();
        api.On("GET /health", async context =>
        {
            context.RequestAborted.Register(left.SetResult);
            await left.Task;
        });
        using var client = new AshClient(new AshClientOptions { ServerUrl = api.Url, RequestTimeout = TimeSpan.FromMilliseconds(200) });

        await Assert.ThrowsAsync<AshConnectionException>(() => client.GetHealthAsync(Stop));
        await left.Task;
    }

    [Fact]
    public async Task RefusalThatIsNotCompleteInTime_FailsLikeNoAnswer()
    {
        await using var api = await ScriptedApi.StartAsync();
        var left = new TaskCompletionSource();
        api.On("GET /api/agents", async context =>
        {
            context.RequestAborted.Register(left.SetResult);
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("{");
            await context.Response.Body.FlushAsync();
            await left.Task;
        });
        using var client = new AshClient(new AshClientOptions { ServerUrl = api.Url, RequestTimeout = TimeSpan.FromMilliseconds(200) });

        var failure = await Assert.ThrowsAsync<AshConnectionException>(() => client.Agents.ListAsync(Stop));

        Assert.EndsWith("gave no answer within 0.2 s.", failure.Message, StringComparison.Ordinal);
        await left.Task;
    }

    [Fact]
    public async Task WaitingForATurn_TakesItsMessageOnce_ThroughBreaksAndEarlyAnswers()
    {
        await using var api = await ScriptedApi.StartAsync();
        var turn = Guid.CreateVersion7();
        var calls = 0;
        api.On($"POST /api/sessions/{Session}/messages", async context =>
        {
            var call = Interlocked.Increment(ref calls);

            if (call is 1 or 3)
            {
                context.Abort();
                return;
            }

            var status = call == 2 ? "running" : "ended";
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(
                $$"""
                {"turn":{"id":"{{turn}}","sessionId":"{{Session}}","status":"{{status}}","reason":"completed","result":"four",
                "createdAt":"2026-01-15T10:00:00.000Z"} }
                """);
        });
        using var client = Client(api.Url);

        var ended = await client.Sessions.SendMessageAndWaitAsync(Session, "2+2", Stop);

        Assert.Equal((turn, "completed", "four"), (ended.Id, ended.Reason, ended.Result));
        Assert.Equal(4, calls);
        Assert.Single(api.Requests.Select(request => (request.IdempotencyKey, request.Body)).Distinct());
        Assert.All(api.Requests, request => Assert.Equal("application/json", request.Accept));
    }

    [Fact]
    public async Task WaitingForATurn_ThrowsARefusalAtOnce()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST /api/sessions/{Session}/messages", """{"error":"32 wait already","statusCode":429,"code":"queue_full"}""", 429);
        using var client = Client(api.Url);

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => client.Sessions.SendMessageAndWaitAsync(Session, "hi", Stop));

        Assert.Equal("queue_full", refusal.Code);
        Assert.Single(api.Requests);
    }

    [Fact]
    public void AddressThatIsNoHttpUrl_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Client(new Uri("ftp://x")));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static AshClient Client(Uri url, string? apiKey = null) => new(new AshClientOptions
    {
        ServerUrl = url,
        ApiKey = apiKey,
        Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromMilliseconds(1), MaxDelay = TimeSpan.FromMilliseconds(2) },
    });
}
