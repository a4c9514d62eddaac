using System.Text.Json;
using Ash.Client.Tests.Scripted;
using Microsoft.AspNetCore.Http;

namespace Ash.Cli.Tests.Agents;

/// <summary><c>ash agent …</c>.</summary>
public sealed class AgentTests
{
    private const string Agent =
        """{"id":"019a0000-0000-7000-8000-000000000002","name":"greeter","tenantId":"default","version":3,"path":"/x","contentHash":"0123456789abcdef","env":{"A":"***"},"createdAt":"2026-01-15T10:00:00.000Z","updatedAt":"2026-01-16T10:00:00.000Z"}""";

    private const string AgentJson = $$"""{"agent":{{Agent}}}""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task List_IsATable_WhereAPersonLooks_OtherwiseJson()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/agents", $$"""{"agents":[{{Agent}}]}""");
        using var home = Home(api);

        var table = await home.RunAsync(["agent", "list"], isTerminal: true, cancellationToken: Stop);

        Assert.Equal(
            """
            NAME     VERSION  CONTENT       UPDATED              CREATED
            greeter        3  0123456789ab  2026-01-16 10:00:00  2026-01-15 10:00:00

            """,
            table.Out);
        Assert.StartsWith("[\n  {", (await home.RunAsync("agent", "list")).Out, StringComparison.Ordinal);
        Assert.StartsWith("[{", (await home.RunAsync("agent", "list", "--json")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Update_SendsWhatIsToChange()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("PATCH /api/agents/greeter", AgentJson);
        using var home = Home(api);

        var run = await home.RunAsync("agent", "update", "greeter", "--prompt", "Be brief.", "-e", "K=V", "--config", """{"c":1}""");

        Assert.StartsWith("Agent changed: {", run.Out, StringComparison.Ordinal);
        using var body = JsonDocument.Parse(Assert.Single(api.Requests).Body);
        using var expected = JsonDocument.Parse("""{"env":{"K":"V"},"config":{"c":1},"systemPrompt":"Be brief."}""");
        Assert.True(JsonElement.DeepEquals(expected.RootElement, body.RootElement), body.RootElement.GetRawText());
        Assert.Equal(ExitCodes.Usage, (await home.RunAsync("agent", "update", "greeter")).ExitCode);
    }

    [Fact]
    public async Task Environment_IsShown_Replaced_AndCleared()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/agents/greeter", AgentJson).On("PATCH /api/agents/greeter", AgentJson);
        using var home = Home(api);

        Assert.Equal("{\n  \"A\": \"***\"\n}\n", (await home.RunAsync("agent", "env", "greeter")).Out);
        await home.RunAsync("agent", "env", "greeter", "A=1", "B=x=y");
        await home.RunAsync("agent", "env", "greeter", "--clear");

        Assert.Equal(["", """{"env":{"A":"1","B":"x=y"}}""", """{"env":{}}"""], api.Requests.Select(request => request.Body));
    }

    [Fact]
    public async Task Config_IsShown_AndChanged()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/agents/greeter/config", """{"config":{"a":1}}""").On("PATCH /api/agents/greeter/config", """{"config":{"a":1,"b":2}}""");
        using var home = Home(api);

        Assert.Equal("{\"a\":1}\n", (await home.RunAsync("agent", "config", "greeter", "--json")).Out);
        Assert.Equal("{\"a\":1,\"b\":2}\n", (await home.RunAsync("agent", "config", "greeter", "--json", "--set", """{"b":2}""")).Out);
        Assert.Equal("""{"b":2}""", api.Requests.Last().Body);
        Assert.Equal(ExitCodes.Usage, (await home.RunAsync("agent", "config", "greeter", "--set", "[1]")).ExitCode);
    }

    [Fact]
    public async Task Clone_Deploys_AndRollback()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("POST /api/agents/greeter/clone", AgentJson, 201)
            .On("GET /api/agents/greeter/deploys",
                """{"deploys":[{"version":3,"contentHash":"0123456789abcdef","isCurrent":true,"createdAt":"2026-01-15T10:00:00.000Z"}]}""")
            .On("POST /api/agents/greeter/rollback", AgentJson);
        using var home = Home(api);

        Assert.StartsWith("Agent cloned: {", (await home.RunAsync("agent", "clone", "greeter", "other")).Out, StringComparison.Ordinal);
        var table = await home.RunAsync(["agent", "deploys", "greeter"], isTerminal: true, cancellationToken: Stop);
        Assert.Contains("      3  0123456789ab  2026-01-15 10:00:00  current\n", table.Out, StringComparison.Ordinal);
        Assert.StartsWith("[\n", (await home.RunAsync("agent", "versions", "greeter")).Out, StringComparison.Ordinal);
        Assert.Equal(
            "Rolled back agent \"greeter\" to the content of v2 (now v3)\n", (await home.RunAsync("agent", "rollback", "greeter", "2")).Out);
        Assert.Equal(["""{"name":"other"}""", "", "", """{"version":2}"""], api.Requests.Select(request => request.Body));
    }

    [Fact]
    public async Task Files_AreListed_Read_Written_Deleted_AndDownloaded()
    {
        await using var api = await ScriptedApi.StartAsync();
        api.On("GET /api/agents/greeter/files", """{"files":[{"path":"CLAUDE.md","size":9,"modifiedAt":"2026-01-15T10:00:00.000Z"}]}""")
            .On("GET /api/agents/greeter/files/CLAUDE.md", context => context.Response.WriteAsync("Be brief."))
            .On("POST /api/agents/greeter/files", """{"written":1}""")
            .On("DELETE /api/agents/greeter/files/run.sh", """{"deleted":true}""")
            .On("GET /api/agents/greeter/download", context => context.Response.WriteAsync("archive"));
        using var home = Home(api);
        var script = home.Write("run.sh", "echo");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var archive = Path.Combine(home.Folder, "greeter.tar.gz");

        var table = await home.RunAsync(["agent", "files", "greeter"], isTerminal: true, cancellationToken: Stop);
        Assert.Equal("PATH       SIZE  MODIFIED\nCLAUDE.md     9  2026-01-15 10:00:00\n", table.Out);
        Assert.Equal("Be brief.", (await home.RunAsync("agent", "read", "greeter", "CLAUDE.md")).Out);
        Assert.Equal("?format=raw", api.Requests.Last().Query);
        Assert.Equal("Wrote bin/run.sh (4 bytes)\n", (await home.RunAsync("agent", "write", "greeter", script, "bin/run.sh")).Out);
        Assert.Equal("""{"files":[{"path":"bin/run.sh","content":"ZWNobw==","executable":true}]}""", api.Requests.Last().Body);
        Assert.Equal("Deleted run.sh\n", (await home.RunAsync("agent", "rm", "greeter", "run.sh")).Out);
        Assert.Equal($"Saved {archive} (7 bytes)\n", (await home.RunAsync("agent", "download", "greeter", "-o", archive)).Out);
        Assert.Equal("archive", await File.ReadAllTextAsync(archive, Stop));
    }

    [Fact]
    public async Task Prompts_AreListed_Made_Changed_Activated_AndDeleted()
    {
        const string Version =
            """{"id":"019a0000-0000-7000-8000-000000000003","tenantId":"t","agentName":"greeter","versionNumber":2,"name":"Brief","systemPrompt":"Be brief.","releaseNotes":"n","isActive":true,"knowledgeFiles":null,"createdBy":null,"createdAt":"2026-01-15T10:00:00.000Z","updatedAt":"2026-01-15T10:00:00.000Z"}""";
        const string Versions = "/api/agents/greeter/versions";
        await using var api = await ScriptedApi.StartAsync();
        api.On($"GET {Versions}", $$"""{"versions":[{{Version}}]}""")
            .On($"POST {Versions}", $$"""{"version":{{Version}}}""", 201)
            .On($"GET {Versions}/2", $$"""{"version":{{Version}}}""")
            .On($"PATCH {Versions}/2", $$"""{"version":{{Version}}}""")
            .On($"POST {Versions}/2/activate", """{"activated":true,"versionNumber":2}""")
            .On($"DELETE {Versions}/2", "", 204);
        using var home = Home(api);
        var prompt = home.Write("prompt.md", "Be brief.");

        var table = await home.RunAsync(["agent", "prompt", "list", "greeter"], isTerminal: true, cancellationToken: Stop);
        Assert.Contains("      2  Brief  active  2026-01-15 10:00:00  n\n", table.Out, StringComparison.Ordinal);
        Assert.StartsWith("{\n", (await home.RunAsync("agent", "prompt", "show", "greeter", "2")).Out, StringComparison.Ordinal);
        var made = await home.RunAsync(
            "agent", "prompt", "create", "greeter", "--prompt-file", prompt, "--name", "Brief", "--notes", "n", "--from", "1", "--activate");
        Assert.StartsWith("Prompt version created: {", made.Out, StringComparison.Ordinal);
        Assert.Equal(
            """{"name":"Brief","systemPrompt":"Be brief.","releaseNotes":"n","cloneFrom":1}""",
            api.Requests.Single(request => request is { Method: "POST", Path: Versions }).Body);
        Assert.Contains(api.Requests, request => request.Path == $"{Versions}/2/activate");
        Assert.StartsWith(
            "Prompt version changed: {", (await home.RunAsync("agent", "prompt", "update", "greeter", "2", "--notes", "x")).Out, StringComparison.Ordinal);
        Assert.Equal("New sessions of greeter have prompt version 2\n", (await home.RunAsync("agent", "prompt", "activate", "greeter", "2")).Out);
        Assert.Equal("Deleted prompt version: 2\n", (await home.RunAsync("agent", "prompt", "delete", "greeter", "2")).Out);
    }

    [Fact]
    public async Task LongUpload_SaysHowFarItIs_OnATerminalAlone()
    {
        await using var api = await ScriptedApi.StartAsync();
        var clock = new ManualClock();
        api.On("POST /api/agents", async context =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await context.Response.WriteAsync(AgentJson);
        });
        using var home = Home(api);
        home.Clock = clock;
        home.Write("greeter/CLAUDE.md", "# Hi");

        var run = await home.RunAsync(["deploy", Path.Combine(home.Folder, "greeter")], isTerminal: true, cancellationToken: Stop);
        var piped = await home.RunAsync("deploy", Path.Combine(home.Folder, "greeter"));

        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith("\r\e[2KUploaded; the server makes it a version", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("\r\e[2K", run.Error, StringComparison.Ordinal);
        Assert.Equal("", piped.Error);
    }

    private static TestHome Home(ScriptedApi api)
    {
        var home = new TestHome();
        home.Environment["ASH_SERVER_URL"] = $"{api.Url}";
        home.Environment["NO_COLOR"] = "1";
        return home;
    }
}
