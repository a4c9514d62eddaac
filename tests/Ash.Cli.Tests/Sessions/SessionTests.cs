using System.Text.Json;
using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Sessions;

public sealed class SessionTests
{
    private static readonly Guid Session = new("019a0000-0000-7000-8000-000000000001");
    private static readonly string SessionJson =
        $$"""
        {"session":{"id":"{{Session}}","tenantId":"default","agentName":"a","sandboxId":"{{Session}}","status":"active","runnerId":null,
        "parentSessionId":null,"createdAt":"2026-01-15T10:00:00.000Z","lastActiveAt":"2026-01-15T10:00:00.000Z"} }
        """;

    [Fact]
    public async Task Create_PrintsTheSession_BehindItsLabel()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/sessions", SessionJson, 201);
        using var home = Home(api);

        var run = await home.RunAsync("session", "create", "a", "-e", "K=V");
        var forPrograms = await home.RunAsync("--json", "session", "create", "a");

        Assert.StartsWith("Session created: {\n", run.Out, StringComparison.Ordinal);
        Assert.Equal($"{Session}", JsonDocument.Parse(run.Out["Session created: ".Length..]).RootElement.GetProperty("id").GetString());
        Assert.Contains("\"extraEnv\":{\"K\":\"V\"}", api.Requests.First().Body, StringComparison.Ordinal);
        Assert.StartsWith($"{{\"id\":\"{Session}\"", Assert.Single(forPrograms.Out.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_PrintsTheAnswer_WithALineForEachToolAndResult()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = ScriptedEvent.TurnWithTool(Session);
        using var home = Home(api);

        var run = await home.RunAsync("session", "send", $"{Session}", "@hi there");

        Assert.Equal((ExitCodes.Ok, ""), (run.ExitCode, run.Error));
        Assert.Equal("Let me look — 日本語.\n· Bash: echo hi\n  → hi\nIt says hi.\n", run.Out);
        Assert.Contains("\"content\":\"@hi there\",\"includePartialMessages\":true", Assert.Single(api.Requests).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"command":"echo \ud800","\ud800":1}""", "echo \ufffd")]
    [InlineData("""{"\ud800":1}""", """{"\ud800":1}""")]
    public async Task Send_GoesOn_WhereTheAgentWritesHalfASurrogatePair(string input, string note)
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn =
        [
            new("1", "tool_use", $$"""{"id":"t1","name":"Bash","input":{{input}}}"""),
            new("2", "tool_result", """{"content":"\udc00 no","is_error":true}"""),
            new("3", "message", """{"\ud800":1,"type":"assistant","message":{"content":[{"type":"text","text":"Half: \ud83d, é"}]}}"""),
            new("4", "done", "{}"),
        ];
        using var home = Home(api);

        var run = await home.RunAsync("session", "send", $"{Session}", "hi");
        var forPrograms = await home.RunAsync("session", "send", $"{Session}", "hi", "--json");

        Assert.Equal((ExitCodes.Ok, ""), (run.ExitCode, run.Error));
        Assert.Equal($"· Bash: {note}\n  → failed: \ufffd no\nHalf: \ud83d, é\n", run.Out);
        Assert.Equal((ExitCodes.Ok, ""), (forPrograms.ExitCode, forPrograms.Error));
        Assert.Contains($"\"input\":{input}}}", forPrograms.Out, StringComparison.Ordinal);
        Assert.Contains("""Half: \ud83d, \u00e9""", forPrograms.Out, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Send_PrintsAnEventOfManyLines_OnOne_ForPrograms()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [new("1", "message", "{\ndata: \"a\":\ndata: 1}"), new("2", "done", "{}")];
        using var home = Home(api);

        var run = await home.RunAsync("session", "send", $"{Session}", "hi", "--json");

        Assert.Equal("""{"id":"1","event":"message","data":{ "a": 1}}""", run.Out.Split('\n')[0]);
    }

    [Fact]
    public async Task Send_ReadsTheMessage_FromStandardInput()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = ScriptedEvent.TurnWithTool(Session);
        using var home = Home(api);

        await home.RunAsync(["session", "send", $"{Session}", "-"], input: "two\nlines", cancellationToken: TestContext.Current.CancellationToken);

        Assert.Contains("\"content\":\"two\\nlines\"", Assert.Single(api.Requests).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_PrintsEveryEventOnALine_ForPrograms()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = ScriptedEvent.TurnWithTool(Session);
        using var home = Home(api);

        var run = await home.RunAsync("session", "send", $"{Session}", "hi", "--json");

        var lines = run.Out.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(api.Turn.Select(one => (one.Id, one.Name)), lines.Select(line => (line.GetProperty("id").GetString(), line.GetProperty("event").GetString()!)));
        Assert.Equal("Let me ", lines[1].GetProperty("data").GetProperty("delta").GetString());
    }

    [Fact]
    public async Task Send_PrintsText_ThatCameWithoutDeltas_Once()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn =
        [
            new("1", "message", """{"type":"assistant","message":{"content":[{"type":"text","text":"First."}]}}"""),
            new("2", "message", """{"type":"assistant","parent_tool_use_id":"t1","message":{"content":[{"type":"text","text":"A helper's."}]}}"""),
            new("3.1", "text_delta", """{"delta":"Second."}"""),
            new("3", "message", """{"type":"stream_event"}"""),
            new("4", "message", """{"type":"assistant","message":{"content":[{"type":"text","text":"Second."}]}}"""),
            new("5", "done", "{}"),
        ];
        using var home = Home(api);

        Assert.Equal("First.\nSecond.\n", (await home.RunAsync("session", "send", $"{Session}", "hi")).Out);
    }

    [Fact]
    public async Task Send_GoesOn_WhereTheRestOfAText_CameWithoutDeltas()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn =
        [
            new("1", "text_delta", """{"delta":"One "}"""),
            new("2", "message", """{"type":"assistant","message":{"content":[{"type":"text","text":"One two."}]}}"""),
            new("3", "done", "{}"),
        ];
        using var home = Home(api);

        Assert.Equal("One two.\n", (await home.RunAsync("session", "send", $"{Session}", "hi")).Out);
    }

    [Theory]
    [InlineData("""{"type":"stream_event","event":{"type":"message_stop"},"abandoned_blocks":{"from_block_index":0}}""")]
    [InlineData("""{"type":"keep_alive"}""")]
    public async Task Send_MarksText_WhoseModelCallWasMadeAgain_AndShowsTheSecondInFull(string between)
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn =
        [
            new("1", "text_delta", """{"delta":"One"}"""),
            new("2", "message", between),
            new("3", "message", """{"type":"assistant","message":{"content":[{"type":"text","text":"Another."}]}}"""),
            new("4", "done", "{}"),
        ];
        using var home = Home(api);

        Assert.Equal(
            "One\n· the answer broke off, and is begun anew\nAnother.\n",
            (await home.RunAsync("session", "send", $"{Session}", "hi")).Out);
    }

    [Fact]
    public async Task Send_SaysAModelError_Once()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn =
        [
            new("1", "message", """{"type":"assistant","error":"unknown","message":{"content":[{"type":"text","text":"API Error: 400"}]}}"""),
            new("2.1", "error", """{"error":"API Error: 400"}"""),
            new("2", "done", """{"reason":"model_error"}"""),
        ];
        using var home = Home(api);

        var run = await home.RunAsync("session", "send", $"{Session}", "hi");

        Assert.Equal((ExitCodes.TurnNotCompleted, "", "Error: API Error: 400"), (run.ExitCode, run.Out, run.Error.Trim()));
    }

    [Fact]
    public async Task Create_PrintsTheIdAlone_WhereThatIsAskedFor()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/sessions", SessionJson, 201);
        using var home = Home(api);

        Assert.Equal($"{Session}\n", (await home.RunAsync("session", "create", "greeter", "-q")).Out);
    }

    [Fact]
    public async Task Send_KeepsEscapeSequences_FromTheTerminal()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn =
        [
            new("1", "text_delta", """{"delta":"a\u001b]0;owned\u0007b\n"}"""),
            new("2", "tool_use", """{"id":"t","name":"Ba\u001bsh","input":{"command":"x\ny\u202e"}}"""),
            new("3", "tool_result", """{"tool_use_id":"t","content":[{"type":"text","text":"no\u0007\nnone"}],"is_error":true}"""),
            new("4", "done", "{}"),
        ];
        using var home = Home(api);
        home.Environment["NO_COLOR"] = "1";

        var run = await home.RunAsync(["session", "send", $"{Session}", "hi"], isTerminal: true, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("a]0;ownedb\n· Bash: x y\n  → failed: no (+1 line)\n", run.Out);
    }

    [Theory]
    [InlineData("error", """{"error":"No key is set","code":"model_not_configured"}""", "{}", "Error: No key is set (model_not_configured)")]
    [InlineData("note", "{}", """{"reason":"interrupted"}""", "The turn ended: interrupted")]
    public async Task Send_Exits6_WhereTheTurnBringsNoAnswer(string name, string data, string done, string told)
    {
        await using var api = await ScriptedApi.StartAsync();
        api.Turn = [new("1", "text_delta", """{"delta":"So"}"""), new("2.1", name, data), new("2", "done", done)];
        using var home = Home(api);

        var run = await home.RunAsync("session", "send", $"{Session}", "hi");

        Assert.Equal((ExitCodes.TurnNotCompleted, "So\n", told), (run.ExitCode, run.Out, run.Error.Trim()));
    }

    [Fact]
    public async Task CtrlC_InterruptsTheTurn_AndExits130()
    {
        await using var api = await ScriptedApi.StartAsync();
        using var stop = new CancellationTokenSource();
        api.On($"POST /api/sessions/{Session}/messages", async context =>
        {
            await context.Response.WriteAsync("id: 1\nevent: text_delta\ndata: {\"delta\":\"So\"}\n\n");
            await context.Response.Body.FlushAsync();
            var left = new TaskCompletionSource();
            context.RequestAborted.Register(left.SetResult);
            await left.Task;
        });
        api.On($"POST /api/sessions/{Session}/interrupt", """{"interrupted":true,"turnId":null}""");
        using var home = Home(api);
        using var output = new WatchedWriter(("So", stop.Cancel));

        var run = await home.RunAsync(["session", "send", $"{Session}", "hi"], output: output, cancellationToken: stop.Token);

        Assert.Equal((ExitCodes.Cancelled, "Turn interrupted."), (run.ExitCode, run.Error.Trim()));
        Assert.EndsWith("/interrupt", api.Requests.Last().Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_PassesBothStreamsOn_AndExitsAsTheCommandDid()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"POST /api/sessions/{Session}/exec", """{"exitCode":17,"stdout":"out","stderr":"err"}""");
        using var home = Home(api);

        var run = await home.RunAsync("session", "exec", $"{Session}", "--timeout", "5", "--", "ls", "-la");

        Assert.Equal(new CliRun(17, "out", "err"), run);
        Assert.Equal("""{"command":"ls -la","timeout":5}""", Assert.Single(api.Requests).Body);
    }

    [Theory]
    [InlineData(400, ExitCodes.Failed)]
    [InlineData(401, ExitCodes.Unauthorised)]
    [InlineData(403, ExitCodes.Unauthorised)]
    [InlineData(404, ExitCodes.NotFound)]
    [InlineData(500, ExitCodes.Failed)]
    public async Task Refusal_HasItsExitCode_AndTheServersWords(int status, int exitCode)
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET /api/sessions/{Session}", $$"""{"error":"Words","statusCode":{{status}},"code":"some_code","requestId":"r1"}""", status);
        using var home = Home(api);

        var run = await home.RunAsync("session", "get", $"{Session}");

        Assert.Equal(exitCode, run.ExitCode);
        Assert.StartsWith($"Failed: Words ({status}, some_code)", Assert.Single(run.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pause", "POST", "Session paused: {")]
    [InlineData("resume", "POST", "Session resumed: {")]
    [InlineData("stop", "POST", "Session stopped: {")]
    public async Task Act_PrintsTheSession(string verb, string method, string begins)
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"{method} /api/sessions/{Session}/{verb}", SessionJson);
        using var home = Home(api);

        Assert.StartsWith(begins, (await home.RunAsync("session", verb, $"{Session}")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task End_CanPurge()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"DELETE /api/sessions/{Session}", SessionJson);
        using var home = Home(api);

        var run = await home.RunAsync("session", "end", $"{Session}", "--purge");

        Assert.StartsWith("Session ended: {", run.Out, StringComparison.Ordinal);
        Assert.Equal("?purge=true", Assert.Single(api.Requests).Query);
    }

    private static TestHome Home(ScriptedApi api)
    {
        var home = new TestHome();
        home.Environment["ASH_SERVER_URL"] = $"{api.Url}";
        return home;
    }
}
