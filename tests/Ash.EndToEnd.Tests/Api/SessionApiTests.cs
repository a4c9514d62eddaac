using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>Contract 3.3: create, list, look at, run commands in.</summary>
[Collection(typeof(ApiTests))]
public sealed class SessionApiTests(ApiServer fixture)
{
    private AshServer Server => fixture.Server;

    [Fact(Timeout = 120_000)]
    public async Task Create_AnswersWithTheSession_WhichIsListedFirst()
    {
        var agent = (await Server.CreateSessionAsync()).AgentName;
        var created = (await Server.AskAsync("POST", "/api/sessions", $$"""{"agent":"{{agent}}","model":"claude-x"}""")).IsSuccess(201).GetProperty("session");

        Assert.Equal("active", created.GetProperty("status").GetString());
        Assert.Equal(agent, created.GetProperty("agentName").GetString());
        Assert.Equal("default", created.GetProperty("tenantId").GetString());
        Assert.Equal("claude-x", created.GetProperty("model").GetString());
        Assert.True(Guid.TryParseExact(created.GetProperty("id").GetString(), "D", out _));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", created.GetProperty("createdAt").GetString());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, created.GetProperty("runnerId").ValueKind);
        var listed = (await Server.AskAsync("GET", $"/api/sessions?agent={agent}")).IsSuccess().GetProperty("sessions");
        Assert.Equal(2, listed.GetArrayLength());
        Assert.Equal(created.GetProperty("id").GetString(), listed[0].GetProperty("id").GetString());
        Assert.Equal(0, (await Server.AskAsync("GET", "/api/sessions?agent=nobody")).IsSuccess().GetProperty("sessions").GetArrayLength());
        var first = (await Server.AskAsync("GET", $"/api/sessions?agent={agent}&limit=1")).IsSuccess().GetProperty("sessions");
        var second = (await Server.AskAsync("GET", $"/api/sessions?agent={agent}&limit=1&offset=1")).IsSuccess().GetProperty("sessions");
        Assert.Equal(listed[0].GetRawText(), Assert.Single(first.EnumerateArray()).GetRawText());
        Assert.Equal(listed[1].GetRawText(), Assert.Single(second.EnumerateArray()).GetRawText());

        await Server.Client.Sessions.EndAsync(Guid.Parse(listed[1].GetProperty("id").GetString()!));
        foreach (var (query, count, total) in new[] { ("status=active", 1, 1), ("status=ended", 1, 1), ("status=paused", 0, 0), ("limit=1", 1, 2) })
        {
            var page = (await Server.AskAsync("GET", $"/api/sessions?agent={agent}&includeTotal=true&{query}")).IsSuccess();
            Assert.Equal((query, count, total), (query, page.GetProperty("sessions").GetArrayLength(), page.GetProperty("total").GetInt32()));
        }
    }

    [Theory(Timeout = 120_000)]
    [InlineData("limit=0", "querystring/limit must be an integer from 1 to 1000")]
    [InlineData("limit=1001", "querystring/limit must be an integer from 1 to 1000")]
    [InlineData("limit=x", "querystring/limit must be an integer from 1 to 1000")]
    [InlineData("offset=-1", "querystring/offset must be an integer >= 0")]
    [InlineData("status=gone", "status must be one of starting, active, paused, stopped, error, ended")]
    [InlineData("includeTotal=1", "includeTotal must be true or false")]
    public async Task List_IsRefused_WhereItsPageIsNone(string query, string error) =>
        (await Server.AskAsync("GET", $"/api/sessions?{query}")).IsError(400, "invalid_request", error);

    [Theory(Timeout = 120_000)]
    [InlineData("""{"agent":"no-such-agent"}""", 404, "agent_not_found", "Agent \"no-such-agent\" not found")]
    [InlineData("""{"agent":""}""", 400, "invalid_request", "agent must have 1 to 255 characters")]
    [InlineData("""{"agent":5}""", 400, "invalid_request", "body.agent has the wrong type")]
    [InlineData("""{"model":"m"}""", 400, "invalid_request", "body must have required property agent")]
    [InlineData("""{"agent":"a","model":""}""", 400, "invalid_request", "model must have 1 to 100 characters")]
    [InlineData("""{"agent":"a","permissionMode":"yolo"}""", 400, "invalid_request", "permissionMode must be one of bypassPermissions, permissionsByAgent, default")]
    [InlineData("""{"agent":"a","extraEnv":{"A":1}}""", 400, "invalid_request", null)]
    [InlineData("""{"agent":"a","extraEnv":{"A=B":"1"}}""", 400, "invalid_request", null)]
    public async Task Create_IsRefused_WithAReason(string body, int status, string code, string? error)
    {
        (await Server.AskAsync("POST", "/api/sessions", body)).IsError(status, code, error);
    }

    [Fact(Timeout = 120_000)]
    public async Task IdempotencyKey_GivesOneSession_ToARaceOfTen()
    {
        var agent = (await Server.CreateSessionAsync()).AgentName;
        var body = $$"""{"agent":"{{agent}}"}""";
        var key = Guid.NewGuid().ToString();

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => CreateAsync(body, key)));

        var id = Assert.Single(answers.Select(answer => answer.IsSuccess(201).GetProperty("session").GetProperty("id").GetString()).Distinct());
        Assert.Equal(2, (await Server.AskAsync("GET", $"/api/sessions?agent={agent}")).IsSuccess().GetProperty("sessions").GetArrayLength());
        Assert.Equal(id, (await CreateAsync(body, key)).IsSuccess(201).GetProperty("session").GetProperty("id").GetString());
        (await CreateAsync($$"""{"agent":"{{agent}}","model":"m"}""", key)).IsError(409, "idempotency_conflict");
        (await CreateAsync(body, new string('k', 256))).IsError(400, "invalid_request", "Idempotency-Key must be at most 255 characters");
    }

    [Fact(Timeout = 120_000)]
    public async Task IdempotencyKey_IsNotTaken_ByARefusedRequest()
    {
        var key = Guid.NewGuid().ToString();
        (await CreateAsync("""{"agent":"comes-later"}""", key)).IsError(404, "agent_not_found");
        (await Server.AskAsync("POST", "/api/agents", """{"name":"comes-later","systemPrompt":"x"}""")).IsSuccess(201);

        (await CreateAsync("""{"agent":"comes-later"}""", key)).IsSuccess(201);
    }

    [Fact(Timeout = 120_000)]
    public async Task Delete_MayBeRepeated_AndPurgeLeavesNothing()
    {
        var path = $"/api/sessions/{(await Server.CreateSessionAsync()).Id}";
        (await Server.AskAsync("DELETE", $"{path}?purge=maybe")).IsError(400, "invalid_request", "purge must be true or false");
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("ended", (await Server.AskAsync("DELETE", path)).IsSuccess().GetProperty("session").GetProperty("status").GetString());
        }

        Assert.Equal("ended", (await Server.AskAsync("DELETE", $"{path}?purge=true")).IsSuccess().GetProperty("session").GetProperty("status").GetString());
        (await Server.AskAsync("GET", path)).IsError(404, "session_not_found");
    }

    [Fact(Timeout = 120_000)]
    public async Task Exec_PassesOnWhatTheCommandDid()
    {
        var path = $"/api/sessions/{(await Server.CreateSessionAsync()).Id}/exec";
        var done = (await Server.AskAsync("POST", path, """{"command":"echo out; echo err >&2; exit 7"}""")).IsSuccess();
        Assert.Equal((7, "out\n", "err\n"), (done.GetProperty("exitCode").GetInt32(), done.GetProperty("stdout").GetString(), done.GetProperty("stderr").GetString()));
        var slow = (await Server.AskAsync("POST", path, """{"command":"sleep 60","timeout":"200"}""")).IsSuccess();
        Assert.Equal((124, true), (slow.GetProperty("exitCode").GetInt32(), slow.GetProperty("timedOut").GetBoolean()));
        (await Server.AskAsync("POST", path, """{"command":""}""")).IsError(400, "invalid_request", "command must not be empty");
        (await Server.AskAsync("POST", path, """{"command":"true","timeout":0}""")).IsError(400, "invalid_request", "timeout must be 1 to 300000 milliseconds");
        (await Server.AskAsync("POST", path, """{"command":"true","timeout":1.5}""")).IsError(400, "invalid_request", "body.timeout has the wrong type");
    }

    private Task<Answer> CreateAsync(string body, string key) =>
        Server.AskAsync("POST", "/api/sessions", body, headers: ("Idempotency-Key", key));
}
