using Ash.Server.Tests.Access;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Storage;

/// <summary>Makes a server run every query that the product has.</summary>
internal static class EveryQuery
{
    public static readonly string[] GrowingTables =
    [
        "events", "turns", "sessions", "idempotency_keys", "agents", "agent_versions", "attachments", "log_lines",
    ];

    /// <param name="server">Without retention of any kind: what its sweepers look for is there.</param>
    public static async Task PlayAsync(InMemoryServer server)
    {
        var session = await server.CreateSessionAsync("key");
        await server.CreateSessionAsync("key");
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
        await server.ReadStreamAsync(session);
        await server.Client.Sessions.ListAsync();
        await server.Client.Sessions.ListAsync("echo");
        await server.Client.Sessions.ListMessagesAsync(session.Id);
        await server.Client.Sessions.ListEventsAsync(session.Id);
        await server.Http.GetStringAsync($"/api/sessions/{session.Id}/logs");
        await server.Client.Attachments.AddAsync(session.Id, "kept", new MemoryStream([1]));
        var attachment = await server.Client.Attachments.AddAsync(session.Id, "removed", new MemoryStream([1]));
        await server.Client.Attachments.ListAsync(session.Id);
        await server.Client.Attachments.DeleteAsync(attachment.Id);
        await server.Client.Sessions.StopAsync(session.Id);
        await server.Client.Sessions.ResumeAsync(session.Id);
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "again");
        using (await server.Http.PostAsync($"/api/sessions/{session.Id}/fork", null))
        {
            await server.Client.Sessions.EndAsync(session.Id);
        }

        server.Clock.Advance(TimeSpan.FromDays(2));
        await server.SweepIdleSessionsAsync();
        await server.SweepEndedSessionsAsync();
        await server.SweepDeltasAsync();
        await server.CreateSessionAsync("other");
        await server.Client.Agents.ListAsync();

        var credential = await server.Http.AskAsync("POST", "/api/credentials", """{"type":"custom","key":"k","label":"l"}""");
        await server.Http.AskAsync("GET", "/api/credentials");
        await server.Http.AskAsync("DELETE", $"/api/credentials/{credential.Body.GetProperty("credential").GetProperty("id")}");
        using (var keyed = await server.ConnectAsync("default"))
        {
            await keyed.AskAsync("GET", "/api/agents");
        }

        await server.StoreLastUsesAsync();
        await server.Http.AskAsync("POST", "/api/agents/echo/versions", """{"systemPrompt":"P"}""");
        await server.Http.AskAsync("PATCH", "/api/agents/echo/versions/1", """{"name":"n"}""");
        await server.Http.AskAsync("POST", "/api/agents/echo/versions/1/activate", "{}");
        await server.Http.AskAsync("DELETE", "/api/agents/echo/versions/1");
        await server.Client.Agents.DeleteAsync("echo");
    }
}
