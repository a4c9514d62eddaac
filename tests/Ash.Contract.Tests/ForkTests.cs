using System.Text.Json;

namespace Ash.Contract.Tests;

/// <summary>Contract 3.3: a fork goes on from where its session is; logs tell what the sandbox said.</summary>
public sealed class ForkTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Fork_IsAPausedSession_WithTheConversationSoFar()
    {
        var session = await CreateSessionAsync();
        await SendAsync(session, """{"content":"before"}""");

        var fork = (await Api.PostAsync($"{session}/fork")).Is(201).GetProperty("session");

        Assert.Equal(("paused", session.Split('/')[^1]), (fork.GetProperty("status").GetString(), fork.GetProperty("parentSessionId").GetString()));
        var address = $"/api/sessions/{fork.GetProperty("id").GetString()}";
        Assert.Equal(await ContentsAsync(session), await ContentsAsync(address));
        Assert.Equal("completed", (await SendAsync(address, """{"content":"after"}""")).GetProperty("reason").GetString());
        Assert.DoesNotContain(await ContentsAsync(session), content => content.Contains("after", StringComparison.Ordinal));
        Assert.Equal("active", await StatusOfAsync(session));
    }

    [Fact(Timeout = Limit)]
    public async Task Logs_ComeAfterAnIndex()
    {
        var session = await CreateSessionAsync();

        var all = (await Api.GetAsync($"{session}/logs")).Is(200);

        Assert.Equal("sandbox", all.GetProperty("source").GetString());
        var indexes = all.GetProperty("logs").EnumerateArray().Select(entry => entry.GetProperty("index").GetInt32()).ToList();
        Assert.Equal(indexes.Order(), indexes);
        Assert.Equal(all.GetProperty("logs").GetRawText(), (await Api.GetAsync($"{session}/logs?after=-1")).Is(200).GetProperty("logs").GetRawText());
        Assert.Equal(JsonValueKind.Array, (await Api.GetAsync($"{session}/logs?after=100000")).Is(200).GetProperty("logs").ValueKind);
        (await Api.GetAsync($"{session}/logs?after=-2")).IsError(400, "invalid_request");
        (await Api.GetAsync($"{session}/logs?after=x")).IsError(400, "invalid_request");
    }

    private async Task<IReadOnlyList<string>> ContentsAsync(string session) =>
    [
        .. (await Api.GetAsync($"{session}/messages")).Is(200).GetProperty("messages").EnumerateArray()
            .Select(message => message.GetProperty("content").GetString()!), // Every message has one.
    ];
}
