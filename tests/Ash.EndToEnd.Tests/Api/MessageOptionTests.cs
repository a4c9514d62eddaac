using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>Contract 3.4: each option of a message has its effect at the model, and on no other message.</summary>
[Collection(typeof(ApiTests))]
public sealed class MessageOptionTests(ApiServer fixture)
{
    private const int Limit = 120_000;
    private const string TwoTools = """
        @@fake [{"tool":{"name":"Bash","input":{"command":"echo a","description":"d"}}},{"tool":{"name":"Bash","input":{"command":"echo b","description":"d"}}},{"text":"end"}]
        """;

    private AshServer Server => fixture.Server;

    [Fact(Timeout = Limit)]
    public async Task MaxTurns_EndsTheTurn_AfterSoManyModelCalls_AndNotTheNext()
    {
        var session = (await Server.CreateSessionAsync()).Id;

        Assert.Equal("max_turns", (await SendAsync(session, "one " + TwoTools, "\"maxTurns\":2")).Reason);
        var next = await SendAsync(session, "two " + TwoTools);

        Assert.Equal(("completed", "end"), (next.Reason, next.Result));
    }

    [Fact(Timeout = Limit)]
    public async Task MaxBudget_IsEachMessagesOwn()
    {
        const string Dear = """@@fake {"text":"x","usage":{"output_tokens":100000}}""";
        var session = (await Server.CreateSessionAsync()).Id;

        Assert.Equal("budget", (await SendAsync(session, "a " + Dear, "\"maxBudgetUsd\":0.5")).Reason);
        Assert.Equal("completed", (await SendAsync(session, "b", "\"maxBudgetUsd\":0.5")).Reason);
        Assert.Equal("completed", (await SendAsync(session, "c", "\"maxBudgetUsd\":0.5")).Reason);
        Assert.Equal("completed", (await SendAsync(session, "d " + Dear)).Reason);
        Assert.Equal("[Resumed session] Turn 5 | History: a | b | c | d | e", (await SendAsync(session, "e")).Result);
        Assert.Equal("budget", (await SendAsync(session, "f", "\"maxBudgetUsd\":0")).Reason);
        Assert.Equal("completed", (await SendAsync(session, "g")).Reason);
    }

    [Theory(Timeout = Limit)]
    [InlineData("low")]
    [InlineData("high")]
    [InlineData("max")]
    public async Task Effort_IsAskedOfTheModel(string effort)
    {
        var session = (await Server.CreateSessionAsync()).Id;

        await SendAsync(session, "with", $"\"effort\":\"{effort}\"");
        var with = LastRequest(session);
        await SendAsync(session, "without");

        Assert.Equal(effort, with.GetProperty("output_config").GetProperty("effort").GetString());
        Assert.Equal("medium", LastRequest(session).GetProperty("output_config").GetProperty("effort").GetString());
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"type":"enabled","budgetTokens":2048}""", """{"type":"enabled","budget_tokens":2048}""")]
    [InlineData("""{"type":"disabled"}""", """{"type":"disabled"}""")]
    public async Task Thinking_IsAskedOfTheModel(string thinking, string expected)
    {
        var session = (await Server.CreateSessionAsync()).Id;

        await SendAsync(session, "think", $$"""
            "model":"claude-sonnet-4-5","thinking":{{thinking}}
            """);

        var asked = LastRequest(session).TryGetProperty("thinking", out var found) ? found : JsonElement.Parse("""{"type":"disabled"}""");
        foreach (var field in JsonElement.Parse(expected).EnumerateObject())
        {
            Assert.Equal(field.Value.ToString(), asked.GetProperty(field.Name).ToString());
        }
    }

    [Fact(Timeout = Limit)]
    public async Task OutputFormat_MakesTheResultJsonOfThatForm()
    {
        const string Schema = """{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]}""";
        var session = (await Server.CreateSessionAsync()).Id;

        var turn = await SendAsync(
            session, """@@fake [{"tool":{"name":"StructuredOutput","input":{"a":1}}},{"text":"end"}]""", $$"""
            "outputFormat":{"type":"json_schema","schema":{{Schema}}}
            """);

        Assert.Equal(("completed", """{"a":1}"""), (turn.Reason, turn.Result));
        Assert.Contains(LastRequest(session).GetProperty("tools").EnumerateArray(), IsStructuredOutput);
        await SendAsync(session, "without");
        Assert.DoesNotContain(LastRequest(session).GetProperty("tools").EnumerateArray(), IsStructuredOutput);

        static bool IsStructuredOutput(JsonElement tool) => tool.GetProperty("name").GetString() == "StructuredOutput";
    }

    [Theory(Timeout = Limit)]
    [InlineData("\"maxTurns\":0", "maxTurns must be >= 1")]
    [InlineData("\"maxBudgetUsd\":-1", "maxBudgetUsd must be >= 0")]
    [InlineData("\"effort\":\"huge\"", "effort must be one of low, medium, high, max")]
    [InlineData("\"thinking\":{\"type\":\"on\"}", "thinking.type must be one of adaptive, enabled, disabled")]
    [InlineData("\"thinking\":{\"type\":\"enabled\",\"budgetTokens\":5}", "thinking.budgetTokens must be >= 1024")]
    [InlineData("\"outputFormat\":{\"type\":\"xml\",\"schema\":{}}", "outputFormat.type must be json_schema")]
    [InlineData("\"outputFormat\":{\"type\":\"json_schema\",\"schema\":[]}", "outputFormat.schema must be object")]
    [InlineData("\"onBusy\":\"drop\"", "onBusy must be one of enqueue, reject, interrupt, steer")]
    public async Task Option_ThatCannotBeMet_IsRefused_WithAReason(string option, string reason) =>
        (await Server.SendJsonAsync(fixture.Session, $$"""{"content":"x",{{option}}}""")).IsError(400, "invalid_request", reason);

    [Fact(Timeout = Limit)]
    public async Task OnBusy_SaysWhatBecomesOfAMessage_WhileATurnRuns()
    {
        var files = new Dictionary<string, string> { ["ash.json"] = """{"onBusy":"reject"}""" };
        var session = (await Server.CreateSessionAsync(files: files)).Id;
        var gate = $"busy-{session}";
        var running = SendAsync(session, $$"""first @@fake {"text":"late","gate":"{{gate}}"}""");
        await Server.Model.WaitUntilHeldAsync(gate, TestContext.Current.CancellationToken);

        (await Server.SendJsonAsync(session, """{"content":"no"}""")).IsError(409, "turn_running");
        (await Server.SendJsonAsync(session, """{"content":"no","onBusy":"reject"}""")).IsError(409, "turn_running");
        var next = SendAsync(session, "instead", "\"onBusy\":\"interrupt\"");
        Assert.Equal("interrupted", (await running).Reason);
        Server.Model.Release(gate);

        Assert.Equal("completed", (await next).Reason);
        var free = await SendAsync(session, "free", "\"onBusy\":\"reject\"");
        Assert.Equal("[Resumed session] Turn 3 | History: first | instead | free", free.Result);
    }

    private async Task<TurnInfo> SendAsync(Guid session, string text, string? options = null)
    {
        var body = $$"""{"content":{{JsonSerializer.Serialize(text)}}{{(options is null ? "" : "," + options)}}}""";
        var answer = (await Server.SendJsonAsync(session, body)).IsSuccess();
        return answer.Deserialize(ApiJson.Default.TurnEnvelope)!.Turn;
    }

    private JsonElement LastRequest(Guid session) => JsonElement.Parse(Server.LastModelCall(session).BodyText);
}
