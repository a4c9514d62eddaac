using System.Text;
using System.Text.Json;
using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests;

/// <summary>Contract 3.4 and what the design adds (4.1, 4.2): messages, their turns, the history.</summary>
public sealed class MessageTests(ContractServer server) : ContractTests(server)
{
    private static string? _refusing;

    public static TheoryData<string, string?> RefusedContents => new()
    {
        { "\"\"", "content must not be empty" },
        { "\"  \\n \"", "content must not be empty" },
        { Quote(new string('x', 500_001)), "content must NOT have more than 500000 characters" },
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
        { "\"\\ud800\"", "body holds half a surrogate pair, which is no text" },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(RefusedContents))]
    public async Task Message_IsRefused_WithAReason_AndLeavesNoTrace(string content, string? error)
    {
        var session = await RefusingSessionAsync();

        (await Api.PostAsync($"{session}/messages", $$"""{"content":{{content}}}""")).IsError(400, "invalid_request", error);

        Assert.Empty((await Api.GetAsync($"{session}/messages")).Is(200).GetProperty("messages").EnumerateArray());
    }

    [Theory(Timeout = Limit)]
    [InlineData("\"model\":\"\"", "model must have 1 to 100 characters")]
    [InlineData("\"maxTurns\":0", "maxTurns must be >= 1")]
    [InlineData("\"maxBudgetUsd\":-1", "maxBudgetUsd must be >= 0")]
    [InlineData("\"effort\":\"much\"", "effort must be one of low, medium, high, max")]
    [InlineData("\"thinking\":{\"type\":\"deep\"}", "thinking.type must be one of adaptive, enabled, disabled")]
    [InlineData("\"outputFormat\":{\"type\":\"xml\",\"schema\":{}}", "outputFormat.type must be json_schema")]
    [InlineData("\"includePartialMessages\":\"maybe\"", "body.includePartialMessages has the wrong type")]
    [InlineData("\"onBusy\":\"panic\"", null)]
    public async Task Option_ThatIsNone_IsRefused(string option, string? error) =>
        (await Api.PostAsync($"{await RefusingSessionAsync()}/messages", $$"""{"content":"x",{{option}}}""")).IsError(400, "invalid_request", error);

    [Fact(Timeout = Limit)]
    public async Task Message_IsStreamed_FromSessionStartToDone()
    {
        var session = await CreateSessionAsync();

        var stream = await Api.PostAsync($"{session}/messages", """{"content":"hello"}""");

        stream.IsWithoutJson(200);
        Assert.Equal("text/event-stream", stream.MediaType);
        var frames = Frame.Parse(stream.Text);
        Assert.Equal(("session_start", "done"), (frames[0].Name, frames[^1].Name));
        Assert.Equal(session.Split('/')[^1], JsonElement.Parse(frames[0].Data).GetProperty("sessionId").GetString());
        Assert.Contains(frames, frame => frame.Name == "turn_complete");
        Assert.Contains(frames, frame => frame.Name == "message" && JsonElement.Parse(frame.Data).GetProperty("type").GetString() == "result");
        Assert.DoesNotContain(frames, frame => frame.Name == "text_delta");
    }

    [Fact(Timeout = Limit)]
    public async Task Message_IsStreamedWithItsDeltas_WhereThatIsAskedFor()
    {
        var stream = await Api.PostAsync($"{await CreateSessionAsync()}/messages", """{"content":"hello","includePartialMessages":true}""");

        Assert.Contains(Frame.Parse(stream.Text), frame => frame.Name == "text_delta");
    }

    [Fact(Timeout = Limit)]
    public async Task Message_IsAnsweredAsJson_WhereThatIsPreferred_AndItsTurnCanBeLookedAt()
    {
        var session = await CreateSessionAsync();
        var answer = await Api.PostAsync($"{session}/messages", """{"content":[{"type":"text","text":"hello"}]}""", ("Accept", "application/json"));

        var turn = answer.Is(200).GetProperty("turn");
        Assert.Equal(answer.Headers.GetValues("X-Ash-Turn-Id").Single(), turn.GetProperty("id").GetString());
        Assert.Equal(("ended", "completed"), (turn.GetProperty("status").GetString(), turn.GetProperty("reason").GetString()));
        var same = (await Api.GetAsync($"{session}/turns/{turn.GetProperty("id").GetString()}")).Is(200);
        Assert.Equal(turn.GetRawText(), same.GetProperty("turn").GetRawText());
        var both = await Api.PostAsync($"{session}/messages", """{"content":"x"}""", ("Accept", "application/json, text/event-stream"));
        Assert.Equal("text/event-stream", both.MediaType);
        var other = await CreateSessionAsync();
        (await Api.GetAsync($"{other}/turns/{turn.GetProperty("id").GetString()}")).IsError(404, "turn_not_found");
        (await Api.GetAsync($"{other}/turns/nonsense")).IsError(404, "turn_not_found");
    }

    [Fact(Timeout = Limit)]
    public async Task IdempotencyKey_GivesOneTurn_ToARaceOfFive()
    {
        var session = await CreateSessionAsync();
        (string, string)[] headers = [("Accept", "application/json"), ("Idempotency-Key", NewName())];

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(_ => Api.PostAsync($"{session}/messages", """{"content":"once"}""", headers)));

        Assert.Single(answers.Select(answer => answer.Is(200).GetProperty("turn").GetRawText()).Distinct());
        (await Api.PostAsync($"{session}/messages", """{"content":"twice"}""", headers)).IsError(409, "idempotency_conflict");
        Assert.Single(
            (await Api.GetAsync($"{session}/messages")).Is(200).GetProperty("messages").EnumerateArray(),
            message => message.GetProperty("role").GetString() == "user");
    }

    [Fact(Timeout = Limit)]
    public async Task BusySession_RefusesWhatShallNotWait_AndWhatIsTooMuch_AndAnswersTheRestInOrder()
    {
        var model = Server.Own.Model;
        var session = await CreateSessionAsync();
        var gate = NewName();
        var running = Api.PostAsync($"{session}/messages", HeldMessage(gate));
        await model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);

        (await Api.PostAsync($"{session}/messages", """{"content":"now","onBusy":"reject"}""")).IsError(409, "turn_running");
        var waiting = new List<HttpResponseMessage>();
        for (var i = 1; i <= 32; i++)
        {
            waiting.Add(await Api.OpenAsync("POST", $"{session}/messages", Encoding.UTF8.GetBytes($$"""{"content":"number {{i}}"}""")));
        }

        (await Api.PostAsync($"{session}/messages", """{"content":"too many"}""")).IsError(429, "queue_full");
        Assert.Equal(32, (await Api.GetAsync(session)).Is(200).GetProperty("session").GetProperty("turn").GetProperty("queued").GetInt32());
        model.Release(gate);
        (await running).IsWithoutJson(200);
        foreach (var response in waiting)
        {
            using (response)
            {
                Assert.EndsWith("\n\n", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            }
        }

        var users = (await Api.GetAsync($"{session}/messages?limit=1000")).Is(200).GetProperty("messages").EnumerateArray()
            .Where(message => message.GetProperty("role").GetString() == "user")
            .Select(message => JsonElement.Parse(message.GetProperty("content").GetString()!).GetProperty("content").GetString());
        Assert.Equal(Enumerable.Range(1, 32).Select(i => $"number {i}"), users.Skip(1));
    }

    [Fact(Timeout = Limit)]
    public async Task Interrupt_EndsTheRunningTurn_AndSaysWhich()
    {
        var model = Server.Own.Model;
        var session = await CreateSessionAsync();
        var gate = NewName();
        var running = SendAsync(session, HeldMessage(gate));
        await model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);

        var answer = (await Api.PostAsync($"{session}/interrupt")).Is(200);

        var turn = await running;
        Assert.Equal((true, turn.GetProperty("id").GetString()), (answer.GetProperty("interrupted").GetBoolean(), answer.GetProperty("turnId").GetString()));
        Assert.Equal("interrupted", turn.GetProperty("reason").GetString());
        model.Release(gate);
        Assert.False((await Api.PostAsync($"{session}/interrupt")).Is(200).GetProperty("interrupted").GetBoolean());
    }

    [Fact(Timeout = Limit)]
    public async Task Lists_PageBySequence_AndGiveEachEntryOnce()
    {
        var session = await CreateSessionAsync();
        await SendAsync(session, """{"content":"hello"}""");
        foreach (var list in new[] { "messages", "events" })
        {
            var all = await PageAsync($"{session}/{list}", list);
            var paged = new List<string>();
            for (var after = 0L; await PageAsync($"{session}/{list}?limit=1&after={after}", list) is { Count: > 0 } page; after = page[^1].Sequence)
            {
                paged.AddRange(page.Select(entry => entry.Json));
            }

            Assert.Equal(all.Select(entry => entry.Json), paged);
            Assert.Equal(all.Select(entry => entry.Sequence).Order(), all.Select(entry => entry.Sequence));
            foreach (var wrong in new[] { "limit=0", "limit=1001", "limit=x", "after=-1" })
            {
                (await Api.GetAsync($"{session}/{list}?{wrong}")).IsError(400, "invalid_request");
            }
        }

        var types = (await Api.GetAsync($"{session}/events")).Is(200).GetProperty("events").EnumerateArray().Select(e => e.GetProperty("type").GetString()!);
        Assert.Superset(new HashSet<string> { "lifecycle", "text", "turn_complete" }, types.ToHashSet());
        Assert.All(
            (await Api.GetAsync($"{session}/events?type=text")).Is(200).GetProperty("events").EnumerateArray(),
            e => Assert.Equal("text", e.GetProperty("type").GetString()));
    }

    [Fact(Timeout = Limit)]
    public async Task Timeline_HasAnEntry_ForEachThingThatHappens()
    {
        Assert.True(Server.Own is not null);
        var session = await CreateSessionAsync();
        const string Script = """@@fake [{"thinking":"hm","text":"see","tool":{"name":"Bash","input":{"command":"echo hi","description":"d"}}},{"text":"it is hi"}]""";
        await SendAsync(session, $$"""{"content":{{Quote(Script)}}}""");

        var types = (await Api.GetAsync($"{session}/events")).Is(200).GetProperty("events").EnumerateArray().Select(e => e.GetProperty("type").GetString()!);

        Assert.Superset(new HashSet<string> { "lifecycle", "text", "tool_start", "reasoning", "tool_result", "turn_complete" }, types.ToHashSet());
    }

    private async Task<List<(long Sequence, string Json)>> PageAsync(string path, string list) =>
    [
        .. (await Api.GetAsync(path)).Is(200).GetProperty(list).EnumerateArray()
            .Select(entry => (entry.GetProperty("sequence").GetInt64(), entry.GetRawText())),
    ];

    /// <summary>One for all that is refused: nothing comes of it. The tests of a class run one after another.</summary>
    private async Task<string> RefusingSessionAsync() => _refusing ??= await CreateSessionAsync();
}
