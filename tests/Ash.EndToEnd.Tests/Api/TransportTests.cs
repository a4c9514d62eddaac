using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>What holds for all routes: keys, ids, methods, media types, bodies, and one shape of errors.</summary>
[Collection(typeof(ApiTests))]
public sealed class TransportTests(ApiServer fixture)
{
    private const string Unknown = "01990000-0000-7000-8000-000000000000";

    private AshServer Server => fixture.Server;

    public static TheoryData<string, string> SessionRoutes => new()
    {
        { "GET", "" },
        { "DELETE", "" },
        { "DELETE", "?purge=true" },
        { "POST", "/pause" },
        { "POST", "/stop" },
        { "POST", "/resume" },
        { "POST", "/interrupt" },
        { "POST", "/exec" },
        { "POST", "/messages" },
        { "GET", "/messages" },
        { "GET", "/events" },
        { "GET", "/stream" },
        { "GET", $"/turns/{Unknown}" },
    };

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(SessionRoutes))]
    public async Task UnknownSession_IsNotFound_AndAMalformedIdIsRefused(string method, string rest)
    {
        (await Server.AskAsync(method, $"/api/sessions/{Unknown}{rest}", BodyFor(rest))).IsError(404, "session_not_found", "Session not found");
        (await Server.AskAsync(method, $"/api/sessions/not-a-uuid{rest}", BodyFor(rest)))
            .IsError(400, "invalid_request", "params/id must match format \"uuid\"");
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(SessionRoutes))]
    public async Task Request_WithoutAKey_LearnsNothing(string method, string rest)
    {
        var path = $"/api/sessions/{Unknown}{rest}";
        (await Server.AskAsync(method, path, headers: ("Authorization", ""))).IsError(401, "unauthorized", "Missing Authorization header");
        (await Server.AskAsync(method, path, headers: ("Authorization", "Basic eDp5"))).IsError(401, "unauthorized", "Invalid Authorization header format");
        (await Server.AskAsync(method, path, headers: ("Authorization", "Bearer nobodys"))).IsError(401, "unauthorized", "Invalid API key");
    }

    [Fact(Timeout = 120_000)]
    public async Task UnknownRoute_IsNotFound_AndAWrongMethodIsNotAllowed()
    {
        (await Server.AskAsync("GET", "/api/nothing")).IsError(404, "not_found");
        (await Server.AskAsync("GET", "/nothing")).IsError(404, "not_found");
        (await Server.AskAsync("PUT", "/api/sessions")).IsError(405, "method_not_allowed", "PUT is not offered here");
        (await Server.AskAsync("GET", $"/api/sessions/{Unknown}/pause")).IsError(405, "method_not_allowed");
        (await Server.AskAsync("POST", "/health")).IsError(405, "method_not_allowed");
    }

    [Fact(Timeout = 120_000)]
    public async Task Head_IsAnsweredLikeGet_WithoutABody()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        foreach (var path in new[] { "/health", "/docs/json", "/api/sessions", $"/api/sessions/{session}", $"/api/sessions/{session}/stream" })
        {
            var answer = await Server.AskAsync("HEAD", path);
            Assert.True(answer.Status == System.Net.HttpStatusCode.OK, $"{path}: {answer.Status}");
            Assert.Empty(answer.Body);
        }

        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await Server.AskAsync("HEAD", $"/api/sessions/{Unknown}")).Status);
        Assert.Equal(System.Net.HttpStatusCode.MethodNotAllowed, (await Server.AskAsync("HEAD", $"/api/sessions/{session}/pause")).Status);
    }

    [Theory(Timeout = 120_000)]
    [InlineData("/api/agents")]
    [InlineData("/api/sessions")]
    [InlineData("/api/sessions/{id}/messages")]
    [InlineData("/api/sessions/{id}/exec")]
    public async Task Body_ThatIsNotOneJsonObject_IsRefused(string route)
    {
        var path = route.Replace("{id}", fixture.Session.ToString(), StringComparison.Ordinal);
        (await Server.AskAsync("POST", path, "x", "text/plain")).IsError(415, "unsupported_media_type");
        (await Server.AskAsync("POST", path, "a=b", "application/x-www-form-urlencoded")).IsError(415, "unsupported_media_type");
        (await Server.AskAsync("POST", path)).IsError(415, "unsupported_media_type");
        (await Server.AskAsync("POST", path, "")).IsError(400, "invalid_request", "Body cannot be empty; send a JSON object");
        (await Server.AskAsync("POST", path, "{\"a\":")).IsError(400, "invalid_request");
        (await Server.AskAsync("POST", path, "[]")).IsError(400, "invalid_request", "body must be object");
        (await Server.AskAsync("POST", path, "\"text\"")).IsError(400, "invalid_request", "body must be object");
        (await Server.AskAsync("POST", path, "null")).IsError(400, "invalid_request", "body must be object");
        (await Server.AskAsync("POST", path, "{}")).IsError(400, "invalid_request");
    }

    [Theory(Timeout = 120_000)]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("interrupt")]
    [InlineData("stop")]
    public async Task PostWithoutABody_IsTaken_WithAJsonContentTypeToo(string verb)
    {
        var session = (await Server.CreateSessionAsync()).Id;
        (await Server.AskAsync("POST", $"/api/sessions/{session}/{verb}", "")).IsSuccess();
    }

    [Theory(Timeout = 120_000)]
    [InlineData("/api/agents", """{"name":"a","file":[]}""", "file is not a field of this request; it may have name, path, systemPrompt, files, env")]
    [InlineData("/api/sessions", """{"agent":"a","system_prompt":"x"}""", "system_prompt is not a field of this request; it may have agent, model, systemPrompt, permissionMode, extraEnv, credentialId, exposeCredential, allowedTools, disallowedTools, betas, subagents, initialAgent, mcpServers")]
    [InlineData("/api/sessions/{id}/messages", """{"content":"a","stream":true}""", "stream is not a field of this request; it may have content, includePartialMessages, model, maxTurns, maxBudgetUsd, effort, thinking, outputFormat, onBusy")]
    [InlineData("/api/sessions/{id}/exec", """{"command":"true","timeoutMs":1}""", "timeoutMs is not a field of this request; it may have command, timeout")]
    public async Task UnknownField_IsRefused_SoThatATypingErrorIsNotSilent(string route, string body, string error)
    {
        var path = route.Replace("{id}", fixture.Session.ToString(), StringComparison.Ordinal);
        (await Server.AskAsync("POST", path, body)).IsError(400, "unknown_field", error);
    }

    [Fact(Timeout = 120_000)]
    public async Task FieldsThatTheTypeScriptSdkSendsForAgents_AreIgnored()
    {
        var answer = await Server.AskAsync("POST", "/api/agents", """
            {"name":"sdk-made","slug":"s","description":"d","model":"m","backend":"b","systemPrompt":"You help.","config":{"x":1}}
            """);
        answer.IsSuccess(201);
    }

    private static string? BodyFor(string rest) => rest switch
    {
        "/exec" => """{"command":"true"}""",
        "/messages" => """{"content":"x"}""",
        _ => null,
    };
}
