using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.StartUp;

/// <summary>The first key, who gets in with which header, and what is open to all (contract 8.2, 8.3, 3.13).</summary>
public sealed class AccessTests(AccessTests.Fixture fixture) : IClassFixture<AccessTests.Fixture>
{
    private const int TimeLimit = 60_000;

    private AshServer Server => fixture.Server;

    [Fact(Timeout = TimeLimit)]
    public async Task FirstKey_IsLeftForTheOwner_AndStaysTheOnlyOne()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_API_KEY"] = null },
        });
        var file = Path.Combine(server.DataDirectory, "initial-api-key");
        var key = await File.ReadAllTextAsync(file);

        Assert.Matches("^ash_[A-Za-z0-9_-]{32}$", key);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        await server.WaitForOutputAsync($"API key: in {file}");
        Assert.DoesNotContain(key, server.Output, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server, "/api/sessions", $"Bearer {key}")).Status);

        // Its owner has taken it away; a restart makes no other.
        File.Delete(file);
        await server.StopAsync();
        await server.StartAgainAsync();

        Assert.False(File.Exists(file));
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server, "/api/sessions", $"Bearer {key}")).Status);
    }

    [Theory(Timeout = TimeLimit)]
    [InlineData(null, "Missing Authorization header")]
    [InlineData("Basic abc", "Invalid Authorization header format")]
    [InlineData("bearer {key}", "Invalid Authorization header format")]
    [InlineData("Bearer  {key}", "Invalid Authorization header format")]
    [InlineData("Bearer", "Invalid Authorization header format")]
    [InlineData("Bearer {key} {key}", "Invalid Authorization header format")]
    [InlineData("{key}", "Invalid Authorization header format")]
    [InlineData("Bearer ash_wrong", "Invalid API key")]
    [InlineData("Bearer {key}x", "Invalid API key")]
    public async Task Header_IsRefused_WithTheContractsWords(string? header, string error)
    {
        var (status, body) = await AskAsync(Server, "/api/sessions", header?.Replace("{key}", Server.ApiKey, StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.Unauthorized, status);
        Assert.Equal((error, 401), (body.GetProperty("error").GetString(), body.GetProperty("statusCode").GetInt32()));
    }

    [Theory(Timeout = TimeLimit)]
    [InlineData("/api")]
    [InlineData("/api/")]
    [InlineData("/API/sessions")]
    [InlineData("/api/agents")]
    [InlineData("/api/no-such-thing")]
    [InlineData("/api/sessions/00000000-0000-0000-0000-000000000000/stream")]
    public async Task EverythingBelowApi_IsClosed(string path) =>
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(Server, path, null)).Status);

    [Theory(Timeout = TimeLimit)]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    [InlineData("/docs/json")]
    public async Task HealthAndDocs_AreOpen(string path) => Assert.Equal(HttpStatusCode.OK, (await AskAsync(Server, path, null)).Status);

    [Theory(Timeout = TimeLimit)]
    [InlineData("/nowhere")]
    [InlineData("/")]
    [InlineData("/v1/messages")]
    [InlineData("/favicon.ico")]
    public async Task UnknownPath_IsNotFound_AsJson(string path)
    {
        var (status, body) = await AskAsync(Server, path, null);

        Assert.Equal(HttpStatusCode.NotFound, status);
        Assert.Equal((404, "not_found"), (body.GetProperty("statusCode").GetInt32(), body.GetProperty("code").GetString()));
    }

    [Fact(Timeout = TimeLimit)]
    public async Task Health_HasTheContractsShape()
    {
        var began = Stopwatch.StartNew();
        var session = await Server.CreateSessionAsync();
        var elapsed = began.Elapsed;
        var (_, health) = await AskAsync(Server, "/health", null);

        Assert.Equal("ok", health.GetProperty("status").GetString());
        Assert.Matches(@"^\d+\.\d+\.\d+", health.GetProperty("version").GetString());
        Assert.Equal($"{Environment.MachineName}-{Server.Pid}", health.GetProperty("coordinatorId").GetString());
        Assert.Equal(
            (1, 1, 0),
            (health.GetProperty("activeSessions").GetInt32(), health.GetProperty("activeSandboxes").GetInt32(), health.GetProperty("remoteRunners").GetInt32()));
        Assert.True(health.GetProperty("uptime").GetDouble() >= Math.Round(elapsed.TotalSeconds, 3));
        var pool = health.GetProperty("pool");
        Assert.Equal(
            ["total", "cold", "warming", "warm", "waiting", "running", "maxCapacity", "resumeWarmHits", "resumeColdHits", "preWarmHits"],
            pool.EnumerateObject().Select(count => count.Name));
        Assert.All(pool.EnumerateObject(), count => Assert.True(count.Value.TryGetInt32(out _)));
        Assert.Equal(1, pool.GetProperty("total").GetInt32());
        await Server.Client.Sessions.EndAsync(session.Id, purge: true);
    }

    private static async Task<(HttpStatusCode Status, JsonElement Body)> AskAsync(AshServer server, string path, string? authorization)
    {
        using var client = new HttpClient { BaseAddress = server.Url };
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        using var answer = await client.SendAsync(request);
        Assert.Equal(MediaTypeHeaderValue.Parse("application/json; charset=utf-8").MediaType, answer.Content.Headers.ContentType?.MediaType);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>());
    }

    public sealed class Fixture : IAsyncLifetime
    {
        public AshServer Server { get; private set; } = null!; // Set before the first test.

        public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync();

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
