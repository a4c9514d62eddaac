using System.Text.Json;
using Ash.EndToEnd.Tests.Fences;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Agents;

/// <summary>An agent with everything that a folder can hold: the CLI sees it, and its permission rules count.</summary>
[Collection(FenceTests.Name)]
public sealed class ResearchAgentTests(FenceTests.Fixture fixture)
{
    private const string Name = "research-agent";

    private AshServer Server => fixture.Server;

    [Theory(Timeout = 60_000)]
    [InlineData("bypassPermissions", "")]
    [InlineData("permissionsByAgent", "don't ask mode")]
    [InlineData("default", "The tool Bash needs an approval, and nobody can be asked. Allow it in the agent's settings.")]
    public async Task Rules_HoldInEveryMode_AndTheModeDecidesTheRest(string mode, string refusalOfTheUnnamed)
    {
        await DeployAsync();
        var session = await Server.SessionOfAsync(Name, mode);

        var tool = await Server.PlayAsync(session.Id, """[{"tool":{"name":"mcp__library__search","input":{"query":"ferry"}}},{"text":"{{toolResult}}"}]""");
        var allowed = await Server.BashAsync(session.Id, "ls library");
        var denied = await Server.BashAsync(session.Id, "rm -f library/ferry.md");
        var unnamed = await Server.BashAsync(session.Id, "touch unnamed.txt");

        Assert.StartsWith("[ferry] The island ferry:", tool.Result, StringComparison.Ordinal);
        Assert.Equal("ferry.md\nlighthouse.md\nseabirds.md\ntides.md", allowed);
        Assert.Equal("Permission to use Bash with command rm -f library/ferry.md has been denied.", denied);
        Assert.Contains(refusalOfTheUnnamed, unnamed, StringComparison.Ordinal);
        var files = Inside.Lines(await Server.ShellAsync(session.Id, "ls unnamed.txt library/ferry.md 2>/dev/null"));
        Assert.Equal(mode == "bypassPermissions" ? ["library/ferry.md", "unnamed.txt"] : ["library/ferry.md"], files);
    }

    [Fact(Timeout = 60_000)]
    public async Task TheModel_SeesPromptSkillsAndTools()
    {
        await DeployAsync();
        var session = await Server.SessionOfAsync(Name);

        await Server.PlayAsync(session.Id, """[{"tool":{"name":"Skill","input":{"skill":"fact-check"}}},{"text":"done"}]""");

        var requests = Server.Model.Requests.Where(request => request.SessionId == session.Id.ToString()).ToList();
        var first = requests[0];
        Assert.Equal(1, CountOf(first.BodyText, "You are a research assistant for the harbour office of Port Aster."));
        Assert.Contains("You are a research assistant", SystemOf(first.ReadBody()), StringComparison.Ordinal);
        Assert.Contains("fact-check", first.BodyText, StringComparison.Ordinal);
        Assert.Contains("research-brief", first.BodyText, StringComparison.Ordinal);

        // Tools of servers are told by name, and loaded when the model asks for them.
        Assert.Contains(@"\nmcp__library__read\nmcp__library__search\n", requests[^1].BodyText, StringComparison.Ordinal);
        Assert.Contains("Split the statement into parts that can each be true or false.", requests[^1].BodyText, StringComparison.Ordinal);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("replace", null, "FILE", false)]
    [InlineData("replace", "SESSION", "SESSION", false)]
    [InlineData("append", null, "FILE", true)]
    [InlineData("append", "SESSION", "SESSION", true)]
    public async Task ThePrompt_IsTheFiles_OrTheSessions_AndThereOnce(string systemPrompt, string? ofSession, string expected, bool withOwn)
    {
        var name = "prompt-" + Guid.NewGuid().ToString("N")[..8];
        await Server.DeployAsync(name, ("CLAUDE.md", "PROMPT-FILE-4711"), ("ash.json", $$"""{"systemPrompt":"{{systemPrompt}}"}"""));
        var session = await Server.Client.Sessions.CreateAsync(
            new CreateSessionRequest { Agent = name, SystemPrompt = ofSession is null ? null : "PROMPT-SESSION-4711" },
            cancellationToken: TestContext.Current.CancellationToken);

        await Server.SendAsync(session.Id, "hello");
        await Server.Client.Sessions.StopAsync(session.Id, TestContext.Current.CancellationToken);
        await Server.Client.Sessions.ResumeAsync(session.Id, TestContext.Current.CancellationToken);
        await Server.SendAsync(session.Id, "again");

        var requests = Server.Model.Requests.Where(request => request.SessionId == session.Id.ToString()).ToList();
        Assert.Equal(2, requests.Count);
        Assert.All(requests, request =>
        {
            Assert.Equal(1, CountOf(request.BodyText, $"PROMPT-{expected}-4711"));
            Assert.Equal(1, CountOf(request.BodyText, "PROMPT-"));
            var system = SystemOf(request.ReadBody());
            Assert.Equal(withOwn, system.Length > 3000);
            Assert.Equal(!withOwn || ofSession is not null, system.Contains("PROMPT-", StringComparison.Ordinal));
        });
    }

    private Task<AgentInfo> DeployAsync() => Server.Client.Agents.DeployPathAsync(Name, TestPaths.Example(Name), cancellationToken: TestContext.Current.CancellationToken);

    private static string SystemOf(JsonElement request) =>
        string.Join('\n', request.GetProperty("system").EnumerateArray().Select(block => block.GetProperty("text").GetString()));

    private static int CountOf(string text, string word) => text.Split(word).Length - 1;
}
