using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests;

/// <summary>Contract 3.0 and 8: what holds for all operations, and is asked of each that the server describes.</summary>
public sealed class ErrorTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task EveryOperation_SaysNothing_WithoutAKey()
    {
        using var anyone = Server.Connect(null);
        foreach (var operation in Server.Description.Operations.Where(operation => !operation.IsOpen && !operation.IsInternal))
        {
            var path = Requests.PathOf(operation, Unknown, "nobody");
            var body = Requests.BodyOf(operation);

            (await anyone.SendAsync(operation.Method, path, body)).IsError(401, "unauthorized", "Missing Authorization header");
            (await anyone.SendAsync(operation.Method, path, body, headers: ("Authorization", "Basic eDp5")))
                .IsError(401, "unauthorized", "Invalid Authorization header format");
        }

        (await anyone.GetAsync("/api/agents", ("Authorization", "Bearer nobodys"))).IsError(401, "unauthorized", "Invalid API key");
    }

    [Fact(Timeout = Limit)]
    public async Task EveryOperationOfASession_KnowsNoneOfThatId_AndRefusesWhatIsNoId()
    {
        foreach (var operation in Server.Description.Operations.Where(operation => operation.IsOfSession))
        {
            var body = Requests.BodyOf(operation);

            (await Api.SendAsync(operation.Method, Requests.PathOf(operation, Unknown, "x"), body)).IsError(404, "session_not_found", "Session not found");
            (await Api.SendAsync(operation.Method, Requests.PathOf(operation, "not-a-uuid", "x"), body))
                .IsError(400, "invalid_request", "params/id must match format \"uuid\"");
        }
    }

    [Fact(Timeout = Limit)]
    public async Task EveryOperationOfAnAgent_KnowsNoneOfThatName()
    {
        foreach (var operation in Server.Description.Operations.Where(operation => operation.Path.StartsWith("/api/agents/{name}", StringComparison.Ordinal)))
        {
            (await Api.SendAsync(operation.Method, Requests.PathOf(operation, Unknown, "nobody"), Requests.BodyOf(operation)))
                .IsError(404, "agent_not_found", "Agent not found");
        }
    }

    [Fact(Timeout = Limit)]
    public async Task EveryOperationWithABody_RefusesWhatIsNoJsonObject()
    {
        var session = (await CreateSessionAsync()).Split('/')[^1];
        var agent = await DeployAsync();
        foreach (var operation in Server.Description.Operations.Where(operation => operation.Body is not null && !operation.IsInternal))
        {
            var path = Requests.PathOf(operation, session, agent);
            var isOptional = operation.Id == "CreateApiKey";

            (await Api.SendAsync(operation.Method, path, "x", "text/plain")).IsError(415, "unsupported_media_type");
            (await Api.SendAsync(operation.Method, path, "a=b", "application/x-www-form-urlencoded")).IsError(415, "unsupported_media_type");
            (await Api.SendAsync(operation.Method, path, "{")).IsError(400, "invalid_request");
            (await Api.SendAsync(operation.Method, path, "[]")).IsError(400, "invalid_request", "body must be object");
            (await Api.SendAsync(operation.Method, path, "\"text\"")).IsError(400, "invalid_request", "body must be object");
            (await Api.SendAsync(operation.Method, path, "null")).IsError(400, "invalid_request", "body must be object");
            if (!isOptional)
            {
                (await Api.SendAsync(operation.Method, path)).IsError(415, "unsupported_media_type");
                (await Api.SendAsync(operation.Method, path, "")).IsError(400, "invalid_request", "Body cannot be empty; send a JSON object");
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task EveryOperationWithABody_NamesAFieldThatItDoesNotKnow_SoThatATypingErrorIsNotSilent()
    {
        var session = (await CreateSessionAsync()).Split('/')[^1];
        var agent = await DeployAsync();
        foreach (var operation in Server.Description.Operations.Where(operation =>
            operation.Body is not null && !operation.IsInternal && operation.Id != "UpdateAgentConfig"))
        {
            var example = Requests.BodyOf(operation)!; // It has a body.
            var answer = await Api.SendAsync(operation.Method, Requests.PathOf(operation, session, agent), $$"""{"typo":1,{{example[1..]}}""".Replace(",}", "}", StringComparison.Ordinal));

            Assert.Equal((operation.Id, "unknown_field"), (operation.Id, answer.Code));
            Assert.StartsWith("typo is not a field of this request; it may have ", answer.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Body_AboveItsLimit_IsTooLarge()
    {
        var session = await CreateSessionAsync();
        (await Api.PostAsync($"{session}/messages", $$"""{"content":"{{new string('x', 52_428_800)}}"}""")).IsError(413, "too_large");
        (await Api.PostAsync("/api/sessions", $$"""{"agent":"{{new string('x', 4_194_304)}}"}""")).IsError(413, "too_large");
        (await Api.PostAsync("/api/credentials", $$"""{"key":"{{new string('x', 262_144)}}"}""")).IsError(413, "too_large");
        (await Api.PostAsync("/api/api-keys", $$"""{"label":"{{new string('x', 65_536)}}"}""")).IsError(413, "too_large");
        (await Api.PostAsync($"{session}/exec", $$"""{"command":"{{new string('x', 4_194_304)}}"}""")).IsError(413, "too_large");
    }

    [Fact(Timeout = Limit)]
    public async Task UnknownRoute_IsNotFound_AndAWrongMethodIsNotAllowed()
    {
        (await Api.GetAsync("/api/nothing")).IsError(404, "not_found");
        (await Api.GetAsync("/nothing")).IsError(404, "not_found");
        (await Api.SendAsync("PUT", "/api/sessions")).IsError(405, "method_not_allowed", "PUT is not offered here");
        (await Api.GetAsync($"/api/sessions/{Unknown}/pause")).IsError(405, "method_not_allowed");
        (await Api.PostAsync("/health")).IsError(405, "method_not_allowed");
    }

    [Fact(Timeout = Limit)]
    public async Task Head_IsAnsweredLikeGet_WithoutABody()
    {
        var session = await CreateSessionAsync();
        foreach (var path in new[] { "/health", "/api/sessions", session, $"{session}/stream", $"{session}/files", $"{session}/workspace", $"{session}/files/CLAUDE.md" })
        {
            (await Api.SendAsync("HEAD", path)).IsWithoutJson(200);
        }

        (await Api.SendAsync("HEAD", $"/api/sessions/{Unknown}")).IsWithoutJson(404);
        (await Api.SendAsync("HEAD", $"{session}/pause")).IsWithoutJson(405);
    }

    [Theory(Timeout = Limit)]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("interrupt")]
    [InlineData("stop")]
    public async Task PostWithoutABody_IsTaken_WithAJsonContentTypeToo(string verb) =>
        (await Api.PostAsync($"{await CreateSessionAsync()}/{verb}", "")).Is(200);
}
