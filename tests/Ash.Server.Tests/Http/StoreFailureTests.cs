using System.Net;
using System.Net.Http.Json;
using Ash.Client;
using Ash.Protocol.Api;
using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Http;

/// <summary>What a client is told while the server cannot store anything.</summary>
[OnDatabase(TestDatabase.Sqlite)]
public sealed class StoreFailureTests
{
    private const int Limit = 60_000;

    [Theory(Timeout = Limit)]
    [InlineData("/api/agents", """{"name":"other","systemPrompt":"Hi."}""")]
    [InlineData("/api/sessions", """{"agent":"echo"}""")]
    [InlineData("/api/sessions/{id}/messages", """{"content":"hi"}""")]
    public async Task FullDisk_IsNamed_WithARetry(string path, string body)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await CreateSleepingSessionAsync(server);

        server.Disk.IsFull = true;
        using var refused = await PostAsync();
        server.Disk.IsFull = false;

        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        var error = await refused.Content.ReadFromJsonAsync(ApiJson.Default.ApiError);
        Assert.Equal((503, "store_unavailable"), (error?.StatusCode, error?.Code));
        Assert.Contains("is its disk full?", error?.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("SQLite", error?.Error, StringComparison.Ordinal);

        using var taken = await PostAsync();
        Assert.True(taken.IsSuccessStatusCode, $"{taken.StatusCode}");

        async Task<HttpResponseMessage> PostAsync()
        {
            using var content = new StringContent(body, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
            return await server.Http.PostAsync(path.Replace("{id}", $"{session.Id}", StringComparison.Ordinal), content);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task AgentThatCannotBeWritten_IsNoFaultOfTheRequest()
    {
        await using var server = await InMemoryServer.StartAsync();
        var temporary = Path.Combine(server.Folder, "tmp");
        Directory.Delete(temporary, recursive: true);
        await File.WriteAllTextAsync(temporary, "in the way");

        var refusal = await Assert.ThrowsAsync<AshApiException>(
            () => server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "other", SystemPrompt = "Hi." }));

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "store_unavailable"), (refusal.StatusCode, refusal.Code));
    }

    /// <summary>It has no sandbox, which would have something to store itself.</summary>
    private static async Task<SessionInfo> CreateSleepingSessionAsync(InMemoryServer server)
    {
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.PauseAsync(session.Id);
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        await using var db = await server.ReadStoreAsync();
        while (await db.Sandboxes.AnyAsync())
        {
            await Task.Delay(10);
        }

        return session;
    }
}
