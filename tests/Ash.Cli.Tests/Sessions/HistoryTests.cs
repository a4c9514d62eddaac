using System.Globalization;
using Ash.Cli.Tests.Chat;
using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Sessions;

/// <summary><c>ash session tail</c>, <c>messages</c>, <c>events</c> and <c>logs</c>.</summary>
public sealed class HistoryTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tail_ShowsWhatWas_ThenWhatComes_WithoutAskingAgainAndAgain()
    {
        using var stop = new CancellationTokenSource();
        await using var api = await ScriptedApi.StartAsync();
        var entries = new List<string> { Entry(1, "lifecycle", """{"action":"created"}"""), Entry(4, "text", """{"text":"Hi\u001b[2J\nthere"}""") };
        api.On($"GET {ChatApi.Path}/events", context => WriteAfterAsync(context, entries));
        api.On($"GET {ChatApi.Path}/stream", async context =>
        {
            Assert.Equal(("4", "false"), (context.Request.Query["after"].ToString(), context.Request.Query["partial"].ToString()));
            entries.Add(Entry(5, "tool_start", """{"toolName":"Bash","toolId":"t","input":{"command":"ls"}}"""));
            entries.Add(Entry(5, "error", """{"error":"Words"}"""));
            await context.Response.WriteAsync("id: 5.1\nevent: tool_use\ndata: {}\n\nid: 5\nevent: message\ndata: {}\n\n");
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var home = ChatApi.HomeOf(api);
        using var output = new WatchedWriter(("Words", stop.Cancel));

        var run = await home.RunAsync(["session", "tail", $"{ChatApi.Session}"], isTerminal: true, output: output, cancellationToken: stop.Token);

        Assert.Equal(
            """
            10:00:01 #1 [lifecycle] created
            10:00:04 #4 [text] Hi[2J there
            10:00:05 #5 [tool_start] Bash: ls
            10:00:05 #5 [error] Words

            """,
            output.ToString());
        Assert.Equal((ExitCodes.Ok, "Stopped tailing.\n"), (run.ExitCode, run.Error));
        Assert.Equal(2, api.Requests.Count(request => request.Path.EndsWith("/events", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Tail_CanBeginLater_OfOneType_AndEnd()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {ChatApi.Path}/events", context => WriteAfterAsync(context, [Entry(9, "text", """{"text":"x"}""")]));
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync("session", "tail", $"{ChatApi.Session}", "-t", "text", "--after", "7", "--no-follow", "--json");

        Assert.Equal("?after=7&limit=200&type=text", Assert.Single(api.Requests).Query);
        Assert.StartsWith("{\"id\":", Assert.Single(run.Out.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_AreATable_WhereAPersonLooks_OtherwiseJson()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {ChatApi.Path}/messages",
            $$$"""
            {"messages":[
              {"id":"{{{ChatApi.Session}}}","sessionId":"{{{ChatApi.Session}}}","tenantId":"t","role":"user","sequence":2,
               "content":"{\"type\":\"user\",\"content\":\"Hello\\nyou\"}","createdAt":"2026-01-15T10:00:00.000Z"},
              {"id":"{{{ChatApi.Session}}}","sessionId":"{{{ChatApi.Session}}}","tenantId":"t","role":"assistant","sequence":13,
               "content":"{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"Hi.\"}]}}","createdAt":"2026-01-15T10:00:01.000Z"}]}
            """);
        using var home = ChatApi.HomeOf(api);

        var table = await home.RunAsync(["session", "messages", $"{ChatApi.Session}"], isTerminal: true, cancellationToken: Stop);
        var json = await home.RunAsync("session", "messages", $"{ChatApi.Session}", "--after", "1", "--limit", "7");

        Assert.Equal(
            """
            SEQ  TIME                 ROLE       TEXT
              2  2026-01-15 10:00:00  user       Hello you
             13  2026-01-15 10:00:01  assistant  Hi.

            """,
            table.Out);
        Assert.StartsWith("[\n  {", json.Out, StringComparison.Ordinal);
        Assert.Equal("?after=1&limit=7", api.Requests.Last().Query);
    }

    [Fact]
    public async Task Events_AreATable_WhereAPersonLooks()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {ChatApi.Path}/events", context => WriteAfterAsync(
            context,
            [Entry(1, "tool_result", """{"stdout":"out","stderr":"err"}"""), Entry(2, "turn_complete", """{"numTurns":1,"result":"Done."}""")]));
        using var home = ChatApi.HomeOf(api);

        var run = await home.RunAsync(["session", "events", $"{ChatApi.Session}"], isTerminal: true, cancellationToken: Stop);

        Assert.Equal(
            """
            SEQ  TIME                 TYPE           WHAT
              1  2026-01-15 10:00:01  tool_result    out err
              2  2026-01-15 10:00:02  turn_complete  Done.

            """,
            run.Out);
    }

    [Fact]
    public async Task Logs_AreFollowed_FromWhereTheyWereRead()
    {
        using var stop = new CancellationTokenSource();
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {ChatApi.Path}/logs", context => context.Response.WriteAsync(context.Request.Query["after"] == "-1"
            ? """{"logs":[{"index":0,"level":"system","text":"up","ts":"2026-01-15T10:00:00.000Z"},{"index":1,"level":"stderr","text":"bad\u001b[2J","ts":"2026-01-15T10:00:01.000Z"}],"source":"sandbox"}"""
            : """{"logs":[{"index":2,"level":"stdout","text":"more","ts":"2026-01-15T10:00:02.000Z"}],"source":"sandbox"}"""));
        using var home = ChatApi.HomeOf(api);
        home.Clock = new ImpatientClock(TimeSpan.FromSeconds(1));
        using var output = new WatchedWriter(("more", stop.Cancel));

        var run = await home.RunAsync(
            ["session", "logs", $"{ChatApi.Session}", "-f"], isTerminal: true, output: output, cancellationToken: stop.Token);

        Assert.Equal(ExitCodes.Ok, run.ExitCode);
        Assert.StartsWith("10:00:00 system up\n10:00:01 stderr bad[2J\n10:00:02 stdout more\n", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(["?after=-1", "?after=1"], api.Requests.Take(2).Select(request => request.Query));
    }

    private static string Entry(int seq, string type, string data) =>
        $$"""
        {"id":"{{ChatApi.Session}}","sessionId":"{{ChatApi.Session}}","tenantId":"t","type":"{{type}}","sequence":{{seq}},
        "data":{{System.Text.Json.JsonSerializer.Serialize(data)}},"createdAt":"2026-01-15T10:00:0{{seq}}.000Z"}
        """;

    private static Task WriteAfterAsync(HttpContext context, IReadOnlyList<string> entries)
    {
        var after = int.Parse(context.Request.Query["after"].ToString(), CultureInfo.InvariantCulture);
        var shown = entries.Where(entry => int.Parse(entry.Split("\"sequence\":")[1].Split(',')[0], CultureInfo.InvariantCulture) > after);
        return context.Response.WriteAsync($"{{\"events\":[{string.Join(',', shown)}]}}");
    }
}
