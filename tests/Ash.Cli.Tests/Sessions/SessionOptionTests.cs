using System.Text.Json;
using Ash.Cli.Tests.Chat;

namespace Ash.Cli.Tests.Sessions;

/// <summary>Sessions made, listed, changed and forked, with all options.</summary>
public sealed class SessionOptionTests
{
    private static readonly string Listed = ChatApi.SessionJson.Replace("{\"session\":", "{\"sessions\":[", StringComparison.Ordinal)
        .Replace("} }", "}]}", StringComparison.Ordinal);

    [Fact]
    public async Task Create_SendsAllThatIsAskedFor_AndNothingElse()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);
        var prompt = home.Write("prompt.md", "Be brief.");
        var servers = home.Write("servers.json", """{"s":{"command":"x"}}""");

        var run = await home.RunAsync(
            "session", "create", "greeter", "-q", "--model", "m", "--allowed-tool", "Read", "--allowed-tool", "Bash(git *)",
            "--disallowed-tool", "Write", "--beta", "b", "--subagents", """{"a":{"description":"d","prompt":"p"}}""",
            "--initial-agent", "a", "--system-prompt-file", prompt, "--permission-mode", "default", "--mcp-servers", servers);

        Assert.Equal($"{ChatApi.Session}\n", run.Out);
        using var body = JsonDocument.Parse(Assert.Single(api.Requests).Body);
        using var expected = JsonDocument.Parse("""
            {"agent":"greeter","model":"m","systemPrompt":"Be brief.","permissionMode":"default","allowedTools":["Read","Bash(git *)"],
             "disallowedTools":["Write"],"betas":["b"],"subagents":{"a":{"description":"d","prompt":"p"}},"initialAgent":"a",
             "mcpServers":{"s":{"command":"x"}}}
            """);
        Assert.True(JsonElement.DeepEquals(expected.RootElement, body.RootElement), body.RootElement.GetRawText());
    }

    [Theory]
    [InlineData("session", "create", "a", "--subagents", "{")]
    [InlineData("session", "create", "a", "--mcp-servers", "no-such-file.json")]
    [InlineData("session", "create", "a", "--system-prompt", "x", "--system-prompt-file", "y")]
    [InlineData("session", "send", "019a0000-0000-7000-8000-000000000001", "hi", "--thinking", "hard")]
    [InlineData("session", "send", "019a0000-0000-7000-8000-000000000001", "hi", "--on-busy", "wait")]
    [InlineData("session", "list", "--status", "odd")]
    public async Task OptionThatMakesNoSense_IsNotSent(params string[] args)
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        Assert.Equal(ExitCodes.Usage, (await home.RunAsync(args)).ExitCode);
        Assert.Empty(api.Requests);
    }

    [Fact]
    public async Task Send_SendsAllThatIsAskedFor()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        await home.RunAsync(
            "session", "send", $"{ChatApi.Session}", "hi", "--model", "m", "--max-turns", "3", "--max-budget-usd", "0.5", "--effort", "low",
            "--thinking", "2000", "--output-schema", """{"type":"object"}""", "--on-busy", "interrupt");

        Assert.Equal(
            """
            {"content":"hi","includePartialMessages":true,"model":"m","maxTurns":3,"maxBudgetUsd":0.5,"effort":"low",
            "thinking":{"type":"enabled","budgetTokens":2000},"outputFormat":{"type":"json_schema","schema":{"type":"object"}},"onBusy":"interrupt"}
            """.ReplaceLineEndings(""),
            Assert.Single(api.Requests).Body);
    }

    [Fact]
    public async Task Send_PrintsEachEventShortened_WhereThatIsAskedFor()
    {
        await using var api = await ChatApi.StartAsync();
        api.Turn =
        [
            new("1", "session_start", """{"sessionId":"x"}"""),
            new("2", "message", $$"""{"type":"assistant","text":"{{new string('x', 300)}}"}"""),
            new("3", "done", "{}"),
        ];
        using var home = ChatApi.HomeOf(api);

        var lines = (await home.RunAsync("session", "send", $"{ChatApi.Session}", "hi", "--raw")).Out.Split('\n');

        Assert.Equal("""[session_start] {"sessionId":"x"}""", lines[0]);
        Assert.StartsWith("""[message] assistant: {"type":"assistant","text":"xxx""", lines[1], StringComparison.Ordinal);
        Assert.Equal("[message] assistant: ".Length + 200, lines[1].Length);
        Assert.Equal("[done] {}", lines[2]);
    }

    [Fact]
    public async Task List_IsATable_WhereAPersonLooks_OtherwiseJson()
    {
        await using var api = await ChatApi.StartAsync();
        api.On("GET /api/sessions", Listed);
        using var home = ChatApi.HomeOf(api);

        var table = await home.RunAsync(["session", "list"], isTerminal: true, cancellationToken: TestContext.Current.CancellationToken);
        var piped = await home.RunAsync("session", "list", "--agent", "greeter", "--status", "active", "--limit", "5", "--offset", "2");
        var forPrograms = await home.RunAsync(
            ["session", "list", "--json"], isTerminal: true, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(
            $"""
            ID                                    AGENT    STATUS  MODEL  LAST ACTIVE          CREATED
            {ChatApi.Session}  greeter  active         2026-01-15 10:00:00  2026-01-15 10:00:00

            """,
            table.Out);
        Assert.Equal($"{ChatApi.Session}", JsonDocument.Parse(piped.Out).RootElement[0].GetProperty("id").GetString());
        Assert.StartsWith("[\n  {", piped.Out, StringComparison.Ordinal);
        Assert.Single(forPrograms.Out.TrimEnd().Split('\n'));
        Assert.Equal("?agent=greeter&status=active&limit=5&offset=2", api.Requests.ElementAt(1).Query);
    }

    [Fact]
    public async Task EmptyList_SaysSo_ToAPerson()
    {
        await using var api = await ChatApi.StartAsync();
        api.On("GET /api/sessions", """{"sessions":[]}""");
        using var home = ChatApi.HomeOf(api);

        var table = await home.RunAsync(["session", "list"], isTerminal: true, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(("", "There are none.\n"), (table.Out, table.Error));
        Assert.Equal("[]\n", (await home.RunAsync("session", "list")).Out);
    }

    [Fact]
    public async Task Colours_AreShown_UnlessTheUserWantsNone()
    {
        await using var api = await ChatApi.StartAsync();
        api.On("GET /api/sessions", Listed);
        using var home = ChatApi.HomeOf(api);

        foreach (var (name, value, coloured) in new[] { ("NO_COLOR", "", true), ("NO_COLOR", "1", false), ("TERM", "dumb", false) })
        {
            home.Environment["NO_COLOR"] = "";
            home.Environment[name] = value;
            var run = await home.RunAsync(["session", "list"], isTerminal: true, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Equal(coloured, run.Out.Contains("\e[32mactive\e[0m", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("info")]
    [InlineData("get")]
    public async Task Info_ShowsTheSession(string verb)
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        Assert.StartsWith("{\n  \"id\"", (await home.RunAsync("session", verb, $"{ChatApi.Session}")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Config_IsShown_OrChanged()
    {
        await using var api = await ChatApi.StartAsync();
        api.On($"PATCH {ChatApi.Path}/config", ChatApi.SessionJson);
        using var home = ChatApi.HomeOf(api);

        var shown = await home.RunAsync("session", "config", $"{ChatApi.Session}", "--json");
        var changed = await home.RunAsync("session", "config", $"{ChatApi.Session}", "--model", "m", "--allowed-tool", "");

        Assert.Equal("{\"model\":null,\"config\":null}\n", shown.Out);
        Assert.StartsWith("Session changed: {", changed.Out, StringComparison.Ordinal);
        Assert.Equal("""{"model":"m","allowedTools":[]}""", api.Requests.Last().Body);
    }

    [Fact]
    public async Task Fork_PrintsTheNewSession()
    {
        await using var api = await ChatApi.StartAsync();
        api.On($"POST {ChatApi.Path}/fork", ChatApi.SessionJson, 201);
        using var home = ChatApi.HomeOf(api);

        Assert.StartsWith("Session forked: {", (await home.RunAsync("session", "fork", $"{ChatApi.Session}")).Out, StringComparison.Ordinal);
        Assert.Equal($"{ChatApi.Session}\n", (await home.RunAsync("session", "fork", $"{ChatApi.Session}", "-q")).Out);
    }

    [Fact]
    public async Task Delete_IsEnd()
    {
        await using var api = await ChatApi.StartAsync();
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync("session", "delete", $"{ChatApi.Session}", "--purge");

        Assert.StartsWith("Session ended: {", run.Out, StringComparison.Ordinal);
        Assert.Equal("?purge=true", Assert.Single(api.Requests).Query);
    }
}
