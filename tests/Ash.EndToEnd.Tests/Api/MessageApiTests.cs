using System.Text.Json;
using Ash.EndToEnd.Tests.Streams;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>Contract 3.4 and what the design adds: messages, their turns, the queue, cursors, lists.</summary>
[Collection(typeof(ApiTests))]
public sealed class MessageApiTests(ApiServer fixture)
{
    private AshServer Server => fixture.Server;

    public static TheoryData<string, string?> RefusedContents => new()
    {
        { "\"\"", "content must not be empty" },
        { "\"  \\n \"", "content must not be empty" },
        { JsonSerializer.Serialize(new string('x', 500_001)), "content must NOT have more than 500000 characters" },
        { "5", "content must be a string or an array of blocks" },
        { "null", null },
        { "{\"type\":\"text\",\"text\":\"x\"}", "content must be a string or an array of blocks" },
        { "[]", "content must have 1 to 20 blocks" },
        { $"[{string.Join(',', Enumerable.Repeat("{\"type\":\"text\",\"text\":\"x\"}", 21))}]", "content must have 1 to 20 blocks" },
        { "[\"x\"]", "content: each block must be an object with a type" },
        { "[{\"type\":\"text\"}]", "content: a text block must have a text" },
        { "[{\"type\":\"text\",\"text\":\" \"}]", "content must not be empty" },
        { "[{\"type\":\"image\"}]", "content: an image or document block must have a source" },
        { "[{\"type\":\"tool_use\"}]", "content: the type of a block must be text, image or document" },
        { "\"\\ud800\"", "content holds half a surrogate pair, which is no text" },
    };

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(RefusedContents))]
    public async Task Message_IsRefused_WithAReason_AndLeavesNoTrace(string content, string? error)
    {
        var before = await HistoryAsync();
        (await Server.SendJsonAsync(fixture.Session, $$"""{"content":{{content}}}""")).IsError(400, "invalid_request", error);
        Assert.Equal(before, await HistoryAsync());

        async Task<string> HistoryAsync() => (await Server.AskAsync("GET", $"/api/sessions/{fixture.Session}/stream?until=idle")).Body;
    }

    [Fact(Timeout = 120_000)]
    public async Task Message_AboveTheBodyLimit_IsTooLarge()
    {
        var session = fixture.Session;
        (await Server.SendJsonAsync(session, $$"""{"content":"{{new string('x', 52_428_800)}}"}""")).IsError(413, "too_large");
        (await Server.SendJsonAsync(session, """{"content":"x","model":""}""")).IsError(400, "invalid_request", "model must have 1 to 100 characters");
        (await Server.SendJsonAsync(session, """{"content":"x","includePartialMessages":"maybe"}"""))
            .IsError(400, "invalid_request", "body.includePartialMessages has the wrong type");
    }

    [Fact(Timeout = 120_000)]
    public async Task Message_IsAnsweredAsJson_WhereThatIsPreferred()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var answer = await Server.SendJsonAsync(session, """{"content":[{"type":"text","text":"hello"}]}""");

        var turn = answer.IsSuccess().GetProperty("turn");
        Assert.Equal(answer.Headers.GetValues("X-Ash-Turn-Id").Single(), turn.GetProperty("id").GetString());
        Assert.Equal(("ended", "completed"), (turn.GetProperty("status").GetString(), turn.GetProperty("reason").GetString()));
        Assert.Equal("[Mock] Turn 1 | History: hello", turn.GetProperty("result").GetString());
        Assert.True(turn.GetProperty("usage").GetProperty("input_tokens").GetInt64() >= 0);
        Assert.False(turn.TryGetProperty("code", out _));
        var same = (await Server.AskAsync("GET", $"/api/sessions/{session}/turns/{turn.GetProperty("id").GetString()}")).IsSuccess();
        Assert.Equal(turn.GetRawText(), same.GetProperty("turn").GetRawText());
        var stream = await Server.AskAsync(
            "POST", $"/api/sessions/{session}/messages", """{"content":"x"}""", headers: ("Accept", "application/json, text/event-stream"));
        Assert.Equal("text/event-stream", stream.MediaType);
    }

    [Fact(Timeout = 120_000)]
    public async Task Turn_OfAnotherSession_IsUnknown()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var other = (await Server.CreateSessionAsync()).Id;
        var turn = (await Server.SendAsync(session, "mine")).Id;
        (await Server.AskAsync("GET", $"/api/sessions/{other}/turns/{turn}")).IsError(404, "turn_not_found");
        (await Server.AskAsync("GET", $"/api/sessions/{other}/turns/nonsense")).IsError(404, "turn_not_found");
        (await Server.AskAsync("GET", $"/api/sessions/{other}/stream?turn={turn}")).IsError(404, "turn_not_found");
    }

    [Fact(Timeout = 120_000)]
    public async Task IdempotencyKey_GivesOneTurn_ToARaceOfTen()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var key = Guid.NewGuid().ToString();
        const string body = """{"content":"once"}""";

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Server.SendJsonAsync(session, body, key)));

        var turn = Assert.Single(answers.Select(answer => answer.IsSuccess().GetProperty("turn").GetRawText()).Distinct());
        Assert.Equal("[Mock] Turn 1 | History: once", JsonElement.Parse(turn).GetProperty("result").GetString());
        Assert.Equal(turn, (await Server.SendJsonAsync(session, body, key)).IsSuccess().GetProperty("turn").GetRawText());
        (await Server.SendJsonAsync(session, """{"content": "once"}""", key)).IsError(409, "idempotency_conflict");
        Assert.Single(
            (await Server.AskAsync("GET", $"/api/sessions/{session}/messages")).IsSuccess().GetProperty("messages").EnumerateArray(),
            message => message.GetProperty("role").GetString() == "user");
    }

    [Fact(Timeout = 120_000)]
    public async Task Queue_TakesThirtyTwo_AndRefusesOneMore_UntilATurnEnds()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        var first = Server.PlayAsync(session, """[{"text":"one two three","chunk":3,"gate":"full","gateAfterChunks":2}]""");
        await Server.Model.WaitUntilHeldAsync("full", TestContext.Current.CancellationToken);
        var waiting = new List<RawStream>();
        for (var i = 1; i <= 32; i++)
        {
            waiting.Add(await RawStream.OpenAsync(Server, $"/api/sessions/{session}/messages", post: $$"""{"content":"number {{i}}"}"""));
        }

        (await Server.SendJsonAsync(session, """{"content":"too many"}""")).IsError(429, "queue_full");
        var running = (await Server.AskAsync("GET", $"/api/sessions/{session}")).IsSuccess().GetProperty("session").GetProperty("turn");
        Assert.Equal(32, running.GetProperty("queued").GetInt32());
        Server.Model.Release("full");
        await first;
        foreach (var stream in waiting)
        {
            Assert.Equal("done", Frames.Names(await stream.ReadAsync()).Last());
            stream.Dispose();
        }

        var messages = (await Server.AskAsync("GET", $"/api/sessions/{session}/messages?limit=1000")).IsSuccess().GetProperty("messages");
        var results = messages.EnumerateArray().Where(message => message.GetProperty("role").GetString() == "assistant")
            .Select(message => JsonElement.Parse(message.GetProperty("content").GetString()!))
            .Where(line => line.GetProperty("type").GetString() == "result")
            .Select(line => line.GetProperty("result").GetString()!);
        Assert.Equal(
            Enumerable.Range(1, 32).Select(i => $"number {i}"),
            results.Skip(1).Select(result => result[(result.LastIndexOf("| ", StringComparison.Ordinal) + 2)..]));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("x")]
    [InlineData("-1")]
    [InlineData("1.")]
    [InlineData("1.0")]
    [InlineData("01")]
    [InlineData("1.2.3")]
    [InlineData("1e3")]
    [InlineData("99999999999999999999")]
    [InlineData("1000000")]
    [InlineData("1000000.1")]
    public async Task Cursor_ThatIsMalformedOrBeyondTheHead_IsRefused(string cursor)
    {
        var path = $"/api/sessions/{fixture.Session}/stream";
        (await Server.AskAsync("GET", $"{path}?after={cursor}")).IsError(400, "invalid_cursor");
        (await Server.AskAsync("GET", $"{path}?after=0", headers: ("Last-Event-ID", cursor))).IsError(400, "invalid_cursor");
        (await Server.AskAsync("GET", $"{path}?after={cursor}&until=idle", headers: ("Last-Event-ID", "1"))).IsSuccessStream();
    }

    [Theory(Timeout = 120_000)]
    [InlineData("partial=yes")]
    [InlineData("lifecycle=1")]
    [InlineData("until=done")]
    public async Task StreamOption_ThatIsUnknown_IsRefused(string query)
    {
        (await Server.AskAsync("GET", $"/api/sessions/{fixture.Session}/stream?{query}")).IsError(400, "invalid_request");
    }

    [Fact(Timeout = 120_000)]
    public async Task Cursor_InsideARow_GoesOnAtItsNextFrame_AndBeyondItsFramesAtTheNextRow()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        await Server.SendAsync(session, "hello");
        var path = $"/api/sessions/{session}/stream?until=idle";
        var whole = await Server.AskAsync("GET", path);
        var frames = Frames.Parse(System.Text.Encoding.UTF8.GetBytes(whole.Body));
        var inside = frames.First(frame => frame.Id.EndsWith(".1", StringComparison.Ordinal));
        var row = inside.Id.Split('.')[0];

        Assert.Equal(frames.SkipWhile(frame => frame != inside).Skip(1).Select(frame => frame.Id), await IdsAfterAsync(inside.Id));
        Assert.Equal(await IdsAfterAsync(row), await IdsAfterAsync($"{row}.99"));

        async Task<IEnumerable<string>> IdsAfterAsync(string cursor)
        {
            var answer = await Server.AskAsync("GET", $"{path}&after={cursor}");
            return Frames.Parse(System.Text.Encoding.UTF8.GetBytes(answer.Body)).Select(frame => frame.Id);
        }
    }

    [Fact(Timeout = 120_000)]
    public async Task Lists_PageBySequence_AndGiveEachEntryOnce()
    {
        var session = (await Server.CreateSessionAsync()).Id;
        await Server.PlayAsync(session, """
            [{"thinking":"hm","text":"let me see","tool":{"name":"Bash","input":{"command":"echo hi","description":"d"}}},{"text":"it is hi"}]
            """);
        foreach (var list in new[] { "messages", "events" })
        {
            var path = $"/api/sessions/{session}/{list}";
            var all = await PageAsync(path, list);
            var paged = new List<string>();
            for (var after = 0L; await PageAsync($"{path}?limit=1&after={after}", list) is { Count: > 0 } page; after = page[^1].Sequence)
            {
                paged.AddRange(page.Select(entry => entry.Json));
            }

            Assert.Equal(all.Select(entry => entry.Json), paged);
            Assert.Equal(all.Select(entry => entry.Sequence).Order(), all.Select(entry => entry.Sequence));
            Assert.Equal(all.Count, all.Select(entry => entry.Id).Distinct().Count());
            (await Server.AskAsync("GET", $"{path}?limit=0")).IsError(400, "invalid_request");
            (await Server.AskAsync("GET", $"{path}?limit=1001")).IsError(400, "invalid_request");
            (await Server.AskAsync("GET", $"{path}?limit=x")).IsError(400, "invalid_request");
            (await Server.AskAsync("GET", $"{path}?after=-1")).IsError(400, "invalid_request");
        }

        var types = (await PageAsync($"/api/sessions/{session}/events", "events")).Select(entry => entry.Type).ToList();
        Assert.Subset(
            new HashSet<string?>(["lifecycle", "text", "tool_start", "reasoning", "tool_result", "turn_complete", "error"]),
            types.ToHashSet());
        Assert.All(new[] { "lifecycle", "text", "tool_start", "reasoning", "tool_result", "turn_complete" }, type => Assert.Contains(type, types));
        Assert.All(await PageAsync($"/api/sessions/{session}/events?type=tool_start", "events"), entry => Assert.Equal("tool_start", entry.Type));
    }

    private async Task<List<(long Sequence, string Id, string? Type, string Json)>> PageAsync(string path, string list) =>
    [
        .. (await Server.AskAsync("GET", path)).IsSuccess().GetProperty(list).EnumerateArray().Select(entry => (
            entry.GetProperty("sequence").GetInt64(),
            entry.GetProperty("id").GetString()!,
            entry.TryGetProperty("type", out var type) ? type.GetString() : null,
            entry.GetRawText())),
    ];
}
