using System.Text;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Events;
using Ash.Server.Storage;
using Ash.Server.Tests.InMemory;
using Ash.Server.Tests.Storage;

namespace Ash.Server.Tests.Sessions;

/// <summary>The history and the timeline, page by page.</summary>
public class LogListTests
{
    private const int Limit = 60_000;
    private const int Megabyte = 1024 * 1024;

    [Theory(Timeout = Limit)]
    [InlineData("messages")]
    [InlineData("events")]
    public async Task LongPage_IsNotHeldInMemory_WhileItIsSent(string list)
    {
        const int rows = 48;
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var text = new string('x', Megabyte - 1000);
        await AppendAsync(server, session, Enumerable.Repeat(text, rows));
        var before = GC.GetTotalMemory(forceFullCollection: true);

        using var response = await server.Http.GetAsync(
            $"/api/sessions/{session.Id}/{list}?limit=1000", HttpCompletionOption.ResponseHeadersRead);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;

        Assert.InRange(held, long.MinValue, rows / 2 * Megabyte);
        using var page = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync());
        Assert.True(page.RootElement.GetProperty(list).GetArrayLength() >= rows);
    }

    [Fact(Timeout = Limit)]
    public async Task Pages_AreAsTheirTypesSay_AndReachEverything()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello <é> 日本語 \"quoted\"");
        await AppendAsync(server, session, [new string('é', 100_001), "\ud83d\ude00"]);

        foreach (var list in (string[])["messages", "events"])
        {
            var json = await server.Http.GetStringAsync($"/api/sessions/{session.Id}/{list}");
            Assert.Equal(json, list == "messages" ? Again(json, ApiJson.Default.MessageListEnvelope) : Again(json, ApiJson.Default.SessionEventListEnvelope));
        }

        var whole = await server.Client.Sessions.ListMessagesAsync(session.Id);
        var parts = new List<MessageInfo>();
        while (await server.Client.Sessions.ListMessagesAsync(session.Id, parts.LastOrDefault()?.Sequence ?? 0, limit: 1) is [var next])
        {
            parts.Add(next);
        }

        Assert.Equal(["user", "assistant", "assistant", "assistant", "assistant"], whole.Select(message => message.Role));
        Assert.Equal(whole, parts);
        Assert.All(whole, message => Assert.Equal((session.Id, session.TenantId), (message.SessionId, message.TenantId)));
        Assert.All(whole, message => JsonDocument.Parse(message.Content).Dispose());

        static string Again<T>(string json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
            JsonSerializer.Serialize(JsonSerializer.Deserialize(json, type)!, type);
    }

    /// <summary>Lines of the CLI, behind what the log of the session has, which ends: nobody else writes to it any more.</summary>
    private static async Task AppendAsync(InMemoryServer server, SessionInfo session, IEnumerable<string> texts)
    {
        await server.Client.Sessions.EndAsync(session.Id);
        var seq = await server.Get<EventStore>().FindHeadAsync(session.Id, CancellationToken.None);
        foreach (var text in texts)
        {
            var line = JsonSerializer.Serialize(new { type = "assistant", message = new { content = new[] { new { type = "text", text } } } });
            var row = new EventRow(++seq, null, EventType.Cli, server.Clock.GetUtcNow(), Encoding.UTF8.GetBytes(line));
            await server.Get<StoreWriter>().WriteAsync(Durability.Process, transaction => transaction.Append(session.Id, row, inlinePayload: true));
        }
    }
}

[OnDatabase(TestDatabase.Postgres)]
public sealed class LogListOnPostgresTests : LogListTests;
