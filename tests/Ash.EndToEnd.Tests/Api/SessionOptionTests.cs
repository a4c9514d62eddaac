using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>Contract 3.3: each option of a session has its effect at the model, from the first turn on and after a change.</summary>
[Collection(typeof(ApiTests))]
public sealed class SessionOptionTests(ApiServer fixture)
{
    private const int Limit = 120_000;

    /// <summary>A server for tools that knows the handshake and one tool, of the name that it is started with.</summary>
    private const string McpServer = """
        import json, sys
        tool = {"name": sys.argv[1], "description": "d", "inputSchema": {"type": "object", "properties": {}}}
        for line in sys.stdin:
            asked = json.loads(line)
            answers = {
                "initialize": lambda: {"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {"tools": {}},
                    "serverInfo": {"name": "t", "version": "1"}},
                "tools/list": lambda: {"tools": [tool]},
            }
            if "id" in asked:
                result = answers.get(asked["method"], lambda: {})()
                print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
        """;

    private AshServer Server => fixture.Server;

    [Fact(Timeout = Limit)]
    public async Task DisallowedTool_IsNotOfferedToTheModel_AndAPatchTakesEffectWithTheNextTurn()
    {
        var session = (await CreateAsync(new() { Agent = "", DisallowedTools = ["Write"] })).Id;
        await Server.SendAsync(session, "one");
        var first = ToolsOf(session);

        await Server.AskAsync("PATCH", $"/api/sessions/{session}/config", """{"disallowedTools":["Bash"]}""");
        var second = await Server.SendAsync(session, "two");

        Assert.Contains("Bash", first);
        Assert.DoesNotContain("Write", first);
        Assert.DoesNotContain("Bash", ToolsOf(session));
        Assert.Contains("Write", ToolsOf(session));
        Assert.Equal("[Resumed session] Turn 2 | History: one | two", second.Result);
    }

    [Fact(Timeout = Limit)]
    public async Task AllowedTool_RunsWithoutAQuestion()
    {
        const string Touch = """@@fake [{"tool":{"name":"Bash","input":{"command":"touch made","description":"d"}}},{"text":"{{toolResult}}"}]""";
        var asking = (await CreateAsync(new() { Agent = "", PermissionMode = "default" })).Id;
        var allowing = (await CreateAsync(new() { Agent = "", PermissionMode = "default", AllowedTools = ["Bash(touch:*)"] })).Id;

        await Server.SendAsync(asking, Touch);
        await Server.SendAsync(allowing, Touch);

        Assert.Equal("", (await Server.ExecAsync(asking, "ls made 2>/dev/null || true")).Stdout);
        Assert.Equal("made\n", (await Server.ExecAsync(allowing, "ls made")).Stdout);
    }

    [Fact(Timeout = Limit)]
    public async Task Beta_IsNamedToTheModelApi()
    {
        var session = (await CreateAsync(new() { Agent = "", Betas = ["context-1m-2025-08-07"] })).Id;

        await Server.SendAsync(session, "hello");

        Assert.Contains("context-1m-2025-08-07", Server.LastModelCall(session).Headers["anthropic-beta"], StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Subagents_CanBeDelegatedTo_AndTheInitialOneTalksToTheUser()
    {
        var subagents = JsonElement.Parse("""{"pirate":{"description":"Talks like a pirate.","prompt":"PIRATE-PROMPT"}}""");
        var delegating = (await CreateAsync(new() { Agent = "", Subagents = subagents })).Id;
        var talking = (await CreateAsync(new() { Agent = "", Subagents = subagents, InitialAgent = "pirate" })).Id;

        await Server.SendAsync(delegating, "hello");
        await Server.SendAsync(talking, "hello");

        Assert.Contains("Talks like a pirate.", Server.LastModelCall(delegating).BodyText, StringComparison.Ordinal);
        Assert.DoesNotContain("PIRATE-PROMPT", Server.LastModelCall(delegating).BodyText, StringComparison.Ordinal);
        Assert.Contains("PIRATE-PROMPT", Server.LastModelCall(talking).BodyText, StringComparison.Ordinal);
        Assert.Contains("You are a test agent.", Server.LastModelCall(talking).BodyText, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task McpServers_JoinTheAgentsOwn_AndTakeTheirNames()
    {
        static string Server(string tool) => $$$"""{"command":"python3","args":["/workspace/server.py","{{{tool}}}"],"env":{"TOKEN":"canary-7"}}""";
        var files = new Dictionary<string, string>
        {
            ["server.py"] = McpServer,
            [".mcp.json"] = $$$"""{"mcpServers":{"own":{{{Server("kept")}}},"both":{{{Server("hidden")}}}}}""",
        };
        var servers = JsonElement.Parse($$$"""{"both":{{{Server("chosen")}}},"added":{{{Server("added")}}}}""");
        var session = await CreateAsync(new() { Agent = "", McpServers = servers }, files);

        await this.Server.SendAsync(session.Id, "hello");

        // The CLI shows them to the model by name alone, until it asks for one.
        var log = await this.Server.ReadLogAsync(session.Id);
        var begun = log.First(e => e.Name == "message" && e.Json.TryGetProperty("subtype", out var subtype) && subtype.GetString() == "init");
        var tools = begun.Json.GetProperty("tools").EnumerateArray()
            .Select(tool => tool.GetString()!)
            .Where(tool => tool.StartsWith("mcp__", StringComparison.Ordinal))
            .Order();
        Assert.Equal(["mcp__added__added", "mcp__both__chosen", "mcp__own__kept"], tools);
        Assert.Contains("***", session.Config!.McpServers.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("canary-7", session.Config.McpServers.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task AgentsConfiguration_HoldsForItsSessions()
    {
        const string Tools = """@@fake [{"tool":{"name":"Bash","input":{"command":"true","description":"d"}}},{"tool":{"name":"Bash","input":{"command":"true","description":"d"}}},{"text":"end"}]""";
        var agent = (await Server.CreateSessionAsync("FILE-PROMPT")).AgentName;
        (await Server.AskAsync(
            "PATCH", $"/api/agents/{agent}/config", """{"model":"claude-chosen","systemPrompt":"CONFIG-PROMPT","max_turns":2,"note":"mine"}""")).IsSuccess();
        var session = await Server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = agent });

        var first = await Server.SendAsync(session.Id, Tools);
        var call = Server.LastModelCall(session.Id).BodyText;

        Assert.Equal("max_turns", first.Reason);
        Assert.Contains("CONFIG-PROMPT", call, StringComparison.Ordinal);
        Assert.Contains("\"model\":\"claude-chosen\"", call, StringComparison.Ordinal);

        // Each turn is counted by itself, and a message may say otherwise.
        for (var turn = 0; turn < 3; turn++)
        {
            Assert.Equal("completed", (await Server.SendAsync(session.Id, "hello")).Reason);
        }

        var longer = await Server.Client.Sessions.SendMessageAndWaitAsync(
            session.Id, new SendMessageRequest { Content = JsonSerializer.SerializeToElement(Tools), MaxTurns = 5 });
        Assert.Equal(("completed", "end"), (longer.Reason, longer.Result));
        Assert.Equal("max_turns", (await Server.SendAsync(session.Id, Tools)).Reason);
    }

    [Fact(Timeout = Limit)]
    public async Task ActivePrompt_IsThatOfNewSessions_AndAnOldOneKeepsItsOwn()
    {
        var before = await Server.CreateSessionAsync("FILE-PROMPT");
        var agent = before.AgentName;
        var versions = $"/api/agents/{agent}/versions";
        (await Server.AskAsync("POST", versions, """{"systemPrompt":"VERSION-PROMPT"}""")).IsSuccess(201);
        (await Server.AskAsync("POST", $"{versions}/1/activate")).IsSuccess();
        var after = await Server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = agent });
        var own = await Server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = agent, SystemPrompt = "SESSION-PROMPT" });

        foreach (var (session, prompt) in new[] { (before, "FILE-PROMPT"), (after, "VERSION-PROMPT"), (own, "SESSION-PROMPT") })
        {
            await Server.SendAsync(session.Id, "hello");
            Assert.Contains(prompt, Server.LastModelCall(session.Id).BodyText, StringComparison.Ordinal);
        }

        (await Server.AskAsync("DELETE", $"{versions}/1")).IsSuccess();
        var last = await Server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = agent });
        await Server.SendAsync(last.Id, "hello");
        await Server.Client.Sessions.StopAsync(after.Id);
        await Server.Client.Sessions.ResumeAsync(after.Id);
        await Server.SendAsync(after.Id, "again");
        Assert.Contains("FILE-PROMPT", Server.LastModelCall(last.Id).BodyText, StringComparison.Ordinal);
        Assert.Contains("VERSION-PROMPT", Server.LastModelCall(after.Id).BodyText, StringComparison.Ordinal);
    }

    private Task<SessionInfo> CreateAsync(CreateSessionRequest request, IReadOnlyDictionary<string, string>? files = null) =>
        Server.CreateSessionAsync(files: files, request: request);

    private IReadOnlyList<string> ToolsOf(Guid session) =>
    [
        .. JsonElement.Parse(Server.LastModelCall(session).BodyText).GetProperty("tools").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()!),
    ];
}
