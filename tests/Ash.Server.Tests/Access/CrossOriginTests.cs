using System.Net;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Access;

/// <summary>Which web pages may call the API (ASH_CORS_ORIGINS).</summary>
public sealed class CrossOriginTests
{
    private const int Limit = 60_000;
    private const string App = "https://app.example.com";

    [Fact(Timeout = Limit)]
    public async Task NoPage_MayCall_ByDefault()
    {
        await using var server = await InMemoryServer.StartAsync();

        var answer = await server.Http.AskAsync("GET", "/api/sessions", null, ("Origin", App));

        Assert.Equal((HttpStatusCode.OK, false), (answer.Status, answer.Headers.Contains("Access-Control-Allow-Origin")));
    }

    [Fact(Timeout = Limit)]
    public async Task ListedOrigin_MayCall_AndIsToldSoBeforeItSendsAKey()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { CorsOrigins = [App, "http://localhost:3000"] });
        using var nobody = server.Connect(null);

        var preflight = await nobody.AskAsync(
            "OPTIONS", "/api/sessions", null, ("Origin", App), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization,content-type"));
        var answer = await server.Http.AskAsync("GET", "/api/sessions", null, ("Origin", App));
        var refused = await nobody.AskAsync("GET", "/api/sessions", null, ("Origin", App));

        Assert.Equal((HttpStatusCode.NoContent, App, "true"), (preflight.Status, preflight.Header("Access-Control-Allow-Origin"), preflight.Header("Access-Control-Allow-Credentials")));
        Assert.Equal("authorization,content-type", preflight.Header("Access-Control-Allow-Headers"));
        Assert.Equal("GET,HEAD,PUT,PATCH,POST,DELETE", preflight.Header("Access-Control-Allow-Methods"));
        Assert.Equal(App, answer.Header("Access-Control-Allow-Origin"));
        Assert.Contains("Origin", answer.Header("Vary").Split(','));
        Assert.Contains("X-Request-Id", answer.Header("Access-Control-Expose-Headers"), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Unauthorized, App), (refused.Status, refused.Header("Access-Control-Allow-Origin")));
    }

    [Fact(Timeout = Limit)]
    public async Task OtherOrigins_MayNot()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { CorsOrigins = [App] });

        var answer = await server.Http.AskAsync("GET", "/api/sessions", null, ("Origin", "https://app.example.com.evil.example"));

        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact(Timeout = Limit)]
    public async Task EveryOrigin_MayCall_WithoutCredentials_WhereTheOperatorSaysSo()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { CorsOrigins = ["*"] });

        var answer = await server.Http.AskAsync("GET", "/api/sessions", null, ("Origin", App));

        Assert.Equal(("*", false), (answer.Header("Access-Control-Allow-Origin"), answer.Headers.Contains("Access-Control-Allow-Credentials")));
    }

    [Fact(Timeout = Limit)]
    public async Task Streams_AreForPagesToo()
    {
        await using var server = await InMemoryServer.StartAsync(settings => settings with { CorsOrigins = [App] });
        var session = await server.CreateSessionAsync();

        var stream = await server.Http.AskAsync("GET", $"/api/sessions/{session.Id}/stream?until=idle", null, ("Origin", App));
        var turn = await server.Http.AskAsync("POST", $"/api/sessions/{session.Id}/messages", """{"content":"hello"}""", ("Origin", App));

        Assert.Contains("event: ", stream.Text, StringComparison.Ordinal);
        Assert.Contains("event: ", turn.Text, StringComparison.Ordinal);
        Assert.Equal((App, App), (stream.Header("Access-Control-Allow-Origin"), turn.Header("Access-Control-Allow-Origin")));
    }
}
