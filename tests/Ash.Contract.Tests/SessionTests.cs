using System.Text.Json;

namespace Ash.Contract.Tests;

/// <summary>Contract 3.3: sessions. What each state allows: <see cref="States.StateTests"/>.</summary>
public sealed class SessionTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Create_AnswersWithAnActiveSession_WhichIsListedFirst()
    {
        var agent = await DeployAsync();
        var first = await CreateSessionAsync(agent);
        var created = (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}","model":"claude-x"}""")).Is(201).GetProperty("session");

        Assert.Equal(("active", agent, "claude-x"), (
            created.GetProperty("status").GetString(), created.GetProperty("agentName").GetString(), created.GetProperty("model").GetString()));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", created.GetProperty("createdAt").GetString());
        Assert.Equal(JsonValueKind.Null, created.GetProperty("runnerId").ValueKind);
        var listed = await ListAsync($"agent={agent}");
        Assert.Equal([created.GetProperty("id").GetString(), first.Split('/')[^1]], listed);
        Assert.Equal([listed[0]], await ListAsync($"agent={agent}&limit=1"));
        Assert.Equal([listed[1]], await ListAsync($"agent={agent}&limit=1&offset=1"));
        Assert.Empty(await ListAsync("agent=nobody"));
        await Api.DeleteAsync(first);
        Assert.Equal([listed[1]], await ListAsync($"agent={agent}&status=ended"));
        Assert.Equal(2, (await Api.GetAsync($"/api/sessions?agent={agent}&limit=1&includeTotal=true")).Is(200).GetProperty("total").GetInt32());
    }

    [Theory(Timeout = Limit)]
    [InlineData("limit=0", "querystring/limit must be an integer from 1 to 1000")]
    [InlineData("limit=1001", "querystring/limit must be an integer from 1 to 1000")]
    [InlineData("limit=x", "querystring/limit must be an integer from 1 to 1000")]
    [InlineData("offset=-1", "querystring/offset must be an integer >= 0")]
    [InlineData("status=gone", "status must be one of starting, active, paused, stopped, error, ended")]
    [InlineData("includeTotal=1", "includeTotal must be true or false")]
    public async Task List_IsRefused_WhereItsPageIsNone(string query, string error) =>
        (await Api.GetAsync($"/api/sessions?{query}")).IsError(400, "invalid_request", error);

    [Theory(Timeout = Limit)]
    [InlineData("""{"agent":"no-such-agent"}""", 404, "agent_not_found", "Agent \"no-such-agent\" not found")]
    [InlineData("""{"agent":""}""", 400, "invalid_request", "agent must have 1 to 255 characters")]
    [InlineData("""{"agent":5}""", 400, "invalid_request", "body.agent has the wrong type")]
    [InlineData("""{"model":"m"}""", 400, "invalid_request", "body must have required property agent")]
    [InlineData("""{"agent":"a","model":""}""", 400, "invalid_request", "model must have 1 to 100 characters")]
    [InlineData("""{"agent":"a","permissionMode":"yolo"}""", 400, "invalid_request", "permissionMode must be one of bypassPermissions, permissionsByAgent, default")]
    [InlineData("""{"agent":"a","extraEnv":{"A":1}}""", 400, "invalid_request", null)]
    [InlineData("""{"agent":"a","extraEnv":{"A=B":"1"}}""", 400, "invalid_request", null)]
    [InlineData("""{"agent":"a","mcpServers":{"a":{}}}""", 400, "invalid_request", "mcpServers.a must have either a url or a command")]
    [InlineData("""{"agent":"a","mcpServers":{"a":{"url":"http://x","command":"x"}}}""", 400, "invalid_request", "mcpServers.a must have either a url or a command")]
    [InlineData("""{"agent":"a","mcpServers":{"a":1}}""", 400, "invalid_request", "mcpServers.a must be object")]
    [InlineData("""{"agent":"a","subagents":{"a":{"prompt":"x"}}}""", 400, "invalid_request", "subagents.a must have a description and a prompt")]
    [InlineData("""{"agent":"a","subagents":{"a":{"description":"x","prompt":"x","mcpServers":[{"s":{"command":"x"}}]}}}""", 400, "invalid_request", "subagents.a.mcpServers must hold names of servers; give the servers as the session's mcpServers")]
    [InlineData("""{"agent":"a","allowedTools":[""]}""", 400, "invalid_request", "allowedTools must hold strings of 1 to 1000 characters")]
    [InlineData("""{"agent":"a","initialAgent":"--x y"}""", 400, "invalid_request", "initialAgent must match ^[a-zA-Z0-9_-]{1,255}\\z")]
    public async Task Create_IsRefused_WithAReason(string body, int status, string code, string? error) =>
        (await Api.PostAsync("/api/sessions", body)).IsError(status, code, error);

    [Fact(Timeout = Limit)]
    public async Task Create_WithACredentialOfNobody_IsRefused()
    {
        var agent = await DeployAsync();
        (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}","credentialId":"{{Unknown}}"}"""))
            .IsError(400, "invalid_credential", "Invalid or inaccessible credential");
    }

    [Fact(Timeout = Limit)]
    public async Task IdempotencyKey_GivesOneSession_ToARaceOfFive()
    {
        var agent = await DeployAsync();
        var body = $$"""{"agent":"{{agent}}"}""";
        (string, string) key = ("Idempotency-Key", NewName());

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Api.PostAsync("/api/sessions", body, key)));

        Assert.Single(answers.Select(answer => answer.Is(201).GetProperty("session").GetProperty("id").GetString()).Distinct());
        Assert.Single(await ListAsync($"agent={agent}"));
        (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}","model":"m"}""", key)).IsError(409, "idempotency_conflict");
        (await Api.PostAsync("/api/sessions", body, ("Idempotency-Key", new string('k', 256))))
            .IsError(400, "invalid_request", "Idempotency-Key must be at most 255 characters");
    }

    [Fact(Timeout = Limit)]
    public async Task IdempotencyKey_IsNotTaken_ByARefusedRequest()
    {
        var (agent, key) = (NewName(), ("Idempotency-Key", NewName()));
        (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}"}""", key)).IsError(404, "agent_not_found");
        (await Api.PostAsync("/api/agents", $$"""{"name":"{{agent}}","systemPrompt":"x"}""")).Is(201);

        (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{agent}}"}""", key)).Is(201);
    }

    [Fact(Timeout = Limit)]
    public async Task Config_IsChanged_AndShown()
    {
        var session = await CreateSessionAsync();

        var changed = (await Api.PatchAsync($"{session}/config", """{"model":"claude-y","disallowedTools":["Write"]}""")).Is(200).GetProperty("session");

        Assert.Equal(("claude-y", "Write"), (changed.GetProperty("model").GetString(), changed.GetProperty("config").GetProperty("disallowedTools")[0].GetString()));
        (await Api.PatchAsync($"{session}/config", """{"mcpServers":{}}""")).IsError(400, "unknown_field");
        (await Api.PatchAsync($"{session}/config", """{"model":""}""")).IsError(400, "invalid_request", "model must have 1 to 100 characters");
    }

    [Fact(Timeout = Limit)]
    public async Task Exec_PassesOnWhatTheCommandDid()
    {
        var exec = $"{await CreateSessionAsync()}/exec";

        var done = (await Api.PostAsync(exec, """{"command":"echo out; echo err >&2; exit 7"}""")).Is(200);
        Assert.Equal((7, "out\n", "err\n"), (done.GetProperty("exitCode").GetInt32(), done.GetProperty("stdout").GetString(), done.GetProperty("stderr").GetString()));
        var slow = (await Api.PostAsync(exec, """{"command":"sleep 60","timeout":"200"}""")).Is(200);
        Assert.Equal((124, true), (slow.GetProperty("exitCode").GetInt32(), slow.GetProperty("timedOut").GetBoolean()));
        (await Api.PostAsync(exec, """{"command":""}""")).IsError(400, "invalid_request", "command must not be empty");
        (await Api.PostAsync(exec, """{"command":"true","timeout":0}""")).IsError(400, "invalid_request", "timeout must be 1 to 300000 milliseconds");
        (await Api.PostAsync(exec, """{"command":"true","timeout":1.5}""")).IsError(400, "invalid_request", "body.timeout has the wrong type");
    }

    [Fact(Timeout = Limit)]
    public async Task Delete_MayBeRepeated_AndPurgeLeavesNothing()
    {
        var session = await CreateSessionAsync();

        (await Api.DeleteAsync($"{session}?purge=maybe")).IsError(400, "invalid_request", "purge must be true or false");
        foreach (var query in new[] { "", "", "?purge=true" })
        {
            Assert.Equal("ended", (await Api.DeleteAsync($"{session}{query}")).Is(200).GetProperty("session").GetProperty("status").GetString());
        }

        (await Api.GetAsync(session)).IsError(404, "session_not_found", "Session not found");
    }

    private async Task<IReadOnlyList<string?>> ListAsync(string query) =>
    [
        .. (await Api.GetAsync($"/api/sessions?{query}")).Is(200).GetProperty("sessions").EnumerateArray()
            .Select(session => session.GetProperty("id").GetString()),
    ];
}
