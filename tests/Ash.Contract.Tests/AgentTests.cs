using System.Text.Json;
using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests;

/// <summary>Contract 3.1: agents.</summary>
public sealed class AgentTests(ContractServer server) : ContractTests(server)
{
    [Fact(Timeout = Limit)]
    public async Task Deploy_MakesAnAgent_AndItsNextVersionTheSecondTime()
    {
        var name = NewName();
        var body = $$"""{"name":"{{name}}","files":[{"path":"CLAUDE.md","content":"{{Base64("one")}}"}],"env":{"TOKEN":"canary"} }""";

        var first = (await Api.PostAsync("/api/agents", body)).Is(201).GetProperty("agent");
        var second = (await Api.PostAsync("/api/agents", $$"""{"name":"{{name}}","systemPrompt":"two"}""")).Is(201).GetProperty("agent");

        Assert.Equal((name, 1, "***"), (first.GetProperty("name").GetString(), first.GetProperty("version").GetInt32(), first.GetProperty("env").GetProperty("TOKEN").GetString()));
        Assert.Equal(first.GetProperty("id").GetString(), second.GetProperty("id").GetString());
        Assert.Equal(2, second.GetProperty("version").GetInt32());
        Assert.NotEqual(first.GetProperty("contentHash").GetString(), second.GetProperty("contentHash").GetString());
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"with space","systemPrompt":"x"}""")]
    [InlineData("""{"name":"../up","systemPrompt":"x"}""")]
    [InlineData("""{"systemPrompt":"x"}""")]
    [InlineData("""{"name":"x","files":[{"path":"../CLAUDE.md","content":"eA=="}]}""")]
    [InlineData("""{"name":"x","files":[{"path":"CLAUDE.md","content":"no base64!"}]}""")]
    [InlineData("""{"name":"x","systemPrompt":"x","env":{"A=B":"1"}}""")]
    public async Task Deploy_OfNothingThatCanBe_IsRefused(string body) =>
        (await Api.PostAsync("/api/agents", body)).IsError(400, "invalid_request");

    [Fact(Timeout = Limit)]
    public async Task DeployOfAFolder_WithoutClaudeMd_IsRefused()
    {
        Assert.True(Server.Own is not null);
        var folder = Directory.CreateTempSubdirectory("ash-contract-");
        try
        {
            (await Api.PostAsync("/api/agents", $$"""{"name":"x","path":"{{folder.FullName}}"}"""))
                .IsError(400, "missing_claude_md", "Agent directory must contain CLAUDE.md");
        }
        finally
        {
            folder.Delete();
        }
    }

    [Fact(Timeout = Limit)]
    public async Task DeployOfFiles_WithoutClaudeMd_HasThePlaceholder()
    {
        var name = NewName();
        (await Api.PostAsync("/api/agents", $$"""{"name":"{{name}}","files":[{"path":"README.md","content":"eA=="}]}""")).Is(201);

        Assert.Equal($"# {name}\n", (await Api.GetAsync($"/api/agents/{name}/files/CLAUDE.md")).Is(200).GetProperty("content").GetString());
    }

    [Fact(Timeout = Limit)]
    public async Task List_HasAgentsByName()
    {
        var (one, two) = (await DeployAsync(), await DeployAsync());

        var names = (await Api.GetAsync("/api/agents")).Is(200).GetProperty("agents").EnumerateArray()
            .Select(agent => agent.GetProperty("name").GetString()!)
            .ToList();

        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Superset(new HashSet<string> { one, two }, names.ToHashSet());
    }

    [Fact(Timeout = Limit)]
    public async Task Agent_IsShown_UnlessTheClientKnowsItsState()
    {
        var name = await DeployAsync();
        var shown = await Api.GetAsync($"/api/agents/{name}");
        var tag = shown.Headers.ETag!.ToString(); // Each answer with an agent has one.

        Assert.Equal(name, shown.Is(200).GetProperty("agent").GetProperty("name").GetString());
        (await Api.GetAsync($"/api/agents/{name}", ("If-None-Match", tag))).IsWithoutJson(304);
        (await Api.GetAsync("/api/agents/nobody")).IsError(404, "agent_not_found", "Agent not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Patch_ChangesWhatItNames_AndNothingElse()
    {
        var agent = $"/api/agents/{await DeployAsync()}";

        var changed = (await Api.PatchAsync(agent, """{"env":{"A":"1"},"config":{"team":"x"}}""")).Is(200).GetProperty("agent");
        Assert.Equal(1, changed.GetProperty("version").GetInt32());
        Assert.Equal("***", changed.GetProperty("env").GetProperty("A").GetString());
        Assert.Equal(2, (await Api.PatchAsync(agent, """{"systemPrompt":"new"}""")).Is(200).GetProperty("agent").GetProperty("version").GetInt32());
        Assert.False((await Api.PatchAsync(agent, """{"env":{}}""")).Is(200).GetProperty("agent").TryGetProperty("env", out _));
        (await Api.PatchAsync(agent, """{"config":[]}""")).IsError(400, "invalid_request", "body/config must be object");
        (await Api.PatchAsync("/api/agents/nobody", """{"env":{}}""")).IsError(404, "agent_not_found", "Agent not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Agent_GetsAnotherName_ThatIsNobodysElse()
    {
        var (one, other, free) = (await DeployAsync(), await DeployAsync(), $"renamed-{Guid.NewGuid():N}");

        (await Api.PatchAsync($"/api/agents/{one}", $$"""{"name":"{{other}}"}""")).IsError(409, "agent_exists");
        (await Api.PatchAsync($"/api/agents/{one}", """{"name":"no name"}""")).IsError(400, "invalid_request");
        Assert.Equal(free, (await Api.PatchAsync($"/api/agents/{one}", $$"""{"name":"{{free}}"}""")).Is(200).GetProperty("agent").GetProperty("name").GetString());
        (await Api.GetAsync($"/api/agents/{one}")).IsError(404, "agent_not_found");
        (await Api.DeleteAsync($"/api/agents/{free}")).Is(200);
    }

    [Fact(Timeout = Limit)]
    public async Task Config_IsMerged_FieldByField()
    {
        var config = $"/api/agents/{await DeployAsync()}/config";

        Assert.Equal("{}", (await Api.GetAsync(config)).Is(200).GetProperty("config").GetRawText());
        (await Api.PatchAsync(config, """{"a":1,"b":{"c":2}}""")).Is(200);
        var merged = (await Api.PatchAsync(config, """{"b":3,"d":null}""")).Is(200).GetProperty("config");
        Assert.Equal((1, 3), (merged.GetProperty("a").GetInt32(), merged.GetProperty("b").GetInt32()));
        Assert.Equal(merged.GetRawText(), (await Api.GetAsync(config)).Is(200).GetProperty("config").GetRawText());
        (await Api.PatchAsync(config, """{"a":1,"a":2}""")).IsError(400, "invalid_request", "body has a field twice");
        (await Api.PatchAsync(config, """{"a":{"b":1,"b":2}}""")).IsError(400, "invalid_request", "body has a field twice");
        (await Api.PatchAsync(config[..^"/config".Length], """{"config":{"a":1,"a":2}}""")).IsError(400, "invalid_request", "body has a field twice");
        (await Api.PatchAsync(config, """{"\ud800":1}""")).IsError(400, "invalid_request", "body holds half a surrogate pair, which is no text");
        (await Api.PatchAsync(config, "[1]")).IsError(400, "invalid_request", "body must be object");
        (await Api.PatchAsync("/api/agents/nobody/config", "{}")).IsError(404, "agent_not_found", "Agent not found");
        (await Api.GetAsync("/api/agents/nobody/config")).IsError(404, "agent_not_found", "Agent not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Clone_HasAllButTheSessions()
    {
        var (name, copy) = (await DeployAsync("the prompt"), NewName());

        var made = (await Api.PostAsync($"/api/agents/{name}/clone", $$"""{"name":"{{copy}}"}""")).Is(201).GetProperty("agent");

        Assert.Equal((copy, 1), (made.GetProperty("name").GetString(), made.GetProperty("version").GetInt32()));
        Assert.Equal("the prompt", (await Api.GetAsync($"/api/agents/{copy}/files/CLAUDE.md")).Is(200).GetProperty("content").GetString()!.Trim());
        (await Api.PostAsync($"/api/agents/{name}/clone", $$"""{"name":"{{copy}}"}""")).IsError(409, "agent_exists");
        (await Api.PostAsync($"/api/agents/{name}/clone", """{"name":"a b"}""")).IsError(400, "invalid_request");
        (await Api.PostAsync("/api/agents/nobody/clone", $$"""{"name":"{{NewName()}}"}""")).IsError(404, "agent_not_found", "Agent not found");
    }

    [Fact(Timeout = Limit)]
    public async Task Rollback_MakesAnEarlierDeployTheNextVersion()
    {
        var name = await DeployAsync("one");
        (await Api.PostAsync("/api/agents", $$"""{"name":"{{name}}","systemPrompt":"two"}""")).Is(201);

        var rolledBack = await Api.PostAsync($"/api/agents/{name}/rollback", """{"version":1}""");

        Assert.Equal(3, rolledBack.Is(200).GetProperty("agent").GetProperty("version").GetInt32());
        var deploys = (await Api.GetAsync($"/api/agents/{name}/deploys")).Is(200).GetProperty("deploys").EnumerateArray().ToList();
        Assert.Equal([3, 2, 1], deploys.Select(deploy => deploy.GetProperty("version").GetInt32()));
        Assert.Equal(deploys[0].GetProperty("contentHash").GetString(), deploys[2].GetProperty("contentHash").GetString());
        (await Api.PostAsync($"/api/agents/{name}/rollback", """{"version":9}""")).IsError(404, "deploy_not_found");
        (await Api.PostAsync("/api/agents/nobody/rollback", """{"version":1}""")).IsError(404, "agent_not_found");
        (await Api.GetAsync("/api/agents/nobody/deploys")).IsError(404, "agent_not_found", "Agent not found");
    }

    [Fact(Timeout = Limit)]
    public async Task ChangeOfAnotherState_IsRefused()
    {
        var agent = $"/api/agents/{await DeployAsync()}";
        (string, string) old = ("If-Match", (await Api.GetAsync(agent)).Headers.ETag!.ToString()); // As above.
        (await Api.PatchAsync(agent, """{"systemPrompt":"new"}""", old)).Is(200);

        foreach (var late in new Func<Task<Answer>>[]
        {
            () => Api.PatchAsync(agent, """{"env":{}}""", old),
            () => Api.PatchAsync($"{agent}/config", "{}", old),
            () => Api.PostAsync($"{agent}/rollback", """{"version":1}""", old),
            () => Api.PostAsync($"{agent}/files", """{"files":[{"path":"a","content":""}]}""", old),
            () => Api.DeleteAsync($"{agent}/files/CLAUDE.md", old),
            () => Api.DeleteAsync(agent, old),
        })
        {
            (await late()).IsError(412, "precondition_failed");
        }

        Assert.Equal(2, (await Api.GetAsync(agent)).Is(200).GetProperty("agent").GetProperty("version").GetInt32());
    }

    [Fact(Timeout = Limit)]
    public async Task Delete_TakesTheSessionsWithIt()
    {
        var name = await DeployAsync();
        var session = await CreateSessionAsync(name);

        Assert.True((await Api.DeleteAsync($"/api/agents/{name}")).Is(200).GetProperty("ok").GetBoolean());

        (await Api.GetAsync(session)).IsError(404, "session_not_found", "Session not found");
        (await Api.DeleteAsync($"/api/agents/{name}")).IsError(404, "agent_not_found", "Agent not found");
    }

    [Fact(Timeout = Limit)]
    public async Task FieldsThatTheTypeScriptSdkSends_AreIgnored()
    {
        var answer = await Api.PostAsync("/api/agents", $$"""
            {"name":"{{NewName()}}","slug":"s","description":"d","model":"m","backend":"b","systemPrompt":"You help.","config":{"x":1},"status":"active"}
            """);
        Assert.Equal(JsonValueKind.Object, answer.Is(201).GetProperty("agent").ValueKind);
    }
}
