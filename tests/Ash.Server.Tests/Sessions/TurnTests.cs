using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Sessions;

/// <summary>A turn, as it is shown.</summary>
public sealed class TurnTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Usage_IsShown_HoweverDeepTheCliNestsIt()
    {
        const int depth = 250;
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        server.Host.Usage = $"{{\"deep\":{new string('[', depth)}{new string(']', depth)}}}";

        var sent = await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hi");
        var json = await server.Http.GetStringAsync($"/api/sessions/{session.Id}/turns/{sent.Id}");

        var looked = JsonSerializer.Deserialize(json, ApiJson.Default.TurnEnvelope)!.Turn;
        Assert.Equal(("completed", server.Host.Usage), (sent.Reason, sent.Usage?.GetRawText()));
        Assert.Equal(sent.Usage?.GetRawText(), looked.Usage?.GetRawText());
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"content":"\ud800"}""")]
    [InlineData("""{"content":[{"type":"text","text":"\ud800"}]}""")]
    [InlineData("""{"content":[{"type":"text","text":"hi","extra":"\ud800"}]}""")]
    [InlineData("""{"content":[{"type":"text\ud800","text":"hi"}]}""")]
    [InlineData("""{"content":[{"\ud800":1,"type":"text","text":"hi"}]}""")]
    [InlineData("""{"content":"hi","\ud800":1}""")]
    public async Task Message_IsRefused_WhereItHoldsHalfASurrogatePair(string body)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();

        using var content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        using var answer = await server.Http.PostAsync($"/api/sessions/{session.Id}/messages", content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Theory(Timeout = Limit)]
    [InlineData(60, HttpStatusCode.OK)]
    [InlineData(100, HttpStatusCode.BadRequest)]
    public async Task Message_IsRefused_WhereItIsNestedDeeperThanAnyNeedsToBe(int depth, HttpStatusCode status)
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var extra = $"{new string('[', depth)}{new string(']', depth)}";

        using var content = new StringContent(
            $$"""{"content":[{"type":"text","text":"hi","extra":{{extra}} }]}""", new MediaTypeHeaderValue("application/json"));
        using var answer = await server.Http.PostAsync($"/api/sessions/{session.Id}/messages", content);

        Assert.Equal(status, answer.StatusCode);
    }
}
