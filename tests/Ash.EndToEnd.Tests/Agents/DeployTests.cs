using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Ash.Client;
using Ash.EndToEnd.Tests.Fences;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Agents;

/// <summary>Deployed content never changes: versions, sharing, deletion, environment.</summary>
[Collection(FenceTests.Name)]
public sealed class DeployTests(FenceTests.Fixture fixture)
{
    private AshServer Server => fixture.Server;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task ASession_KeepsTheVersionThatItBeganWith()
    {
        var name = NewName();
        var first = await Server.DeployAsync(name, ("CLAUDE.md", "FIRST-PROMPT"), (".claude/settings.json", """{"permissions":{"deny":["Bash(id:*)"]}}"""));
        var session = await Server.SessionOfAsync(name);
        var second = await Server.DeployAsync(name, ("CLAUDE.md", "SECOND-PROMPT"));

        await Server.Client.Sessions.StopAsync(session.Id, Cancellation);
        await Server.Client.Sessions.ResumeAsync(session.Id, Cancellation);
        var denied = await Server.BashAsync(session.Id, "id -u");
        var young = await Server.SessionOfAsync(name);
        await Server.SendAsync(young.Id, "hello");

        Assert.Equal((1, 2), (first.Version, second.Version));
        Assert.NotEqual(first.ContentHash, second.ContentHash);
        Assert.Equal((1, 2), (session.AgentVersion, young.AgentVersion));
        Assert.Contains("has been denied", denied, StringComparison.Ordinal);
        Assert.Equal("FIRST-PROMPT", await Server.ShellAsync(session.Id, "cat CLAUDE.md"));
        Assert.Contains("FIRST-PROMPT", RequestsOf(session.Id), StringComparison.Ordinal);
        Assert.DoesNotContain("SECOND-PROMPT", RequestsOf(session.Id), StringComparison.Ordinal);
        Assert.Contains("SECOND-PROMPT", RequestsOf(young.Id), StringComparison.Ordinal);
    }

    [Fact(Timeout = 60_000)]
    public async Task TheSameContent_IsOneFolder_ThatGoesWithItsLastAgent()
    {
        var (one, other) = (NewName(), NewName());
        var prompt = "shared " + Guid.NewGuid();
        var deployed = await Server.DeployAsync(one, ("CLAUDE.md", prompt), ("a/b.txt", "x"));
        var again = await Server.DeployAsync(other, ("a/b.txt", "x"), ("CLAUDE.md", prompt));
        var gone = await Server.SessionOfAsync(one);
        var session = await Server.SessionOfAsync(other);
        await Server.Client.Sessions.EndAsync(gone.Id, purge: true, Cancellation);
        await Server.Client.Agents.DeleteAsync(one, Cancellation);

        Assert.Equal(deployed.ContentHash, again.ContentHash);
        Assert.True(Directory.Exists(again.Path));
        Assert.Equal("completed", (await Server.SendAsync(session.Id, "hello")).Reason);
        Assert.Contains(prompt, RequestsOf(session.Id), StringComparison.Ordinal);
        Assert.Equal(prompt, await Server.ShellAsync((await Server.SessionOfAsync(other)).Id, "cat CLAUDE.md"));

        await Server.Client.Agents.DeleteAsync(other, Cancellation);
        Assert.False(Directory.Exists(again.Path));
        var missing = await Assert.ThrowsAsync<AshApiException>(() => Server.Client.Sessions.GetAsync(session.Id, Cancellation));
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact(Timeout = 60_000)]
    public async Task WhatASessionWrites_DoesNotReachTheDeployedContent()
    {
        var name = NewName();
        var agent = await Server.DeployAsync(name, ("CLAUDE.md", "x"), ("notes/a.txt", "deployed"), (".claude/hooks/run.sh", "#!/bin/sh"));
        var session = await Server.SessionOfAsync(name);
        await Server.ExecAsync(session.Id, "echo changed > notes/a.txt; chmod -R 777 . ; echo x > .claude/hooks/run.sh; rm -rf notes");
        var young = await Server.SessionOfAsync(name);

        Assert.Equal("deployed", await Server.ShellAsync(young.Id, "cat notes/a.txt"));
        Assert.Equal("deployed", await File.ReadAllTextAsync(Path.Combine(agent.Path, "notes/a.txt"), Cancellation));
        Assert.Equal(agent.ContentHash, (await Server.DeployAsync(name, ("notes/a.txt", "deployed"), ("CLAUDE.md", "x"), (".claude/hooks/run.sh", "#!/bin/sh"))).ContentHash);
    }

    [Fact(Timeout = 60_000)]
    public async Task Environment_ReachesTheSandbox_AndOverridesNoNameOfAsh()
    {
        var name = NewName();
        await Server.Client.Agents.DeployAsync(
            name,
            [new AgentFile("CLAUDE.md", "eA==")],
            new Dictionary<string, string>
            {
                ["OF_AGENT"] = "agent", ["OF_BOTH"] = "agent", ["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:9999", ["ANTHROPIC_API_KEY"] = "sk-other",
                ["HOME"] = "/workspace", ["CLAUDE_CONFIG_DIR"] = "/workspace/config", ["ANTHROPIC_UNIX_SOCKET"] = "/tmp/x", ["HTTPS_PROXY"] = "http://evil",
                ["ASH_SESSION_ID"] = "other",
            },
            Cancellation);
        var session = await Server.Client.Sessions.CreateAsync(
            new CreateSessionRequest { Agent = name, ExtraEnv = new Dictionary<string, string> { ["OF_BOTH"] = "session", ["OF_SESSION"] = "with spaces\nand lines" } },
            cancellationToken: Cancellation);

        const string Look = """
            printf '%s|' "$OF_AGENT" "$OF_BOTH" "$OF_SESSION" "$HOME" "$CLAUDE_CONFIG_DIR" "$ANTHROPIC_BASE_URL" "$ANTHROPIC_UNIX_SOCKET" "$HTTPS_PROXY" "$ASH_SESSION_ID"
            """;
        var expected = $"agent|session|with spaces\nand lines|/home/agent|/home/agent/.claude|http://broker.invalid|/run/ash/broker.sock|http://127.0.0.1:4180|{session.Id}|";
        Assert.Equal(expected, await Server.ShellAsync(session.Id, Look));
        Assert.Equal(expected, await Server.BashAsync(session.Id, Look));
        Assert.StartsWith("ash_sandbox_", await Server.TokenOfAsync(session.Id), StringComparison.Ordinal);
        Assert.All((await Server.Client.Agents.GetAsync(name, Cancellation)).Env!.Values, value => Assert.Equal("***", value));
    }

    [Theory(Timeout = 60_000)]
    [InlineData("""{"name":"../x","systemPrompt":"x"}""", "name must match ^[a-zA-Z0-9_-]{1,255}$")]
    [InlineData("""{"name":"x\n","systemPrompt":"x"}""", "name must match ^[a-zA-Z0-9_-]{1,255}$")]
    [InlineData("""{"name":"x","files":[{"path":"CLAUDE.md/x","content":""}]}""", "CLAUDE.md must be a file")]
    [InlineData("""{"name":"x","systemPrompt":"p","files":[{"path":"CLAUDE.md/x","content":""}]}""", "CLAUDE.md must be a file")]
    [InlineData("""{"name":"x","systemPrompt":"p","files":[{"path":".claude","content":""}]}""", ".claude must be a folder")]
    [InlineData("""{"name":"x","systemPrompt":"p","files":[{"path":"../x","content":""}]}""", "files: the path \"../x\" must be relative and must not leave the folder")]
    [InlineData("""{"name":"x","systemPrompt":"p","files":[{"path":"ash.json","content":"eyJuZXR3b3JrIjp7fX0="}]}""", "ash.json: network is not enforced by this release; remove it")]
    [InlineData("""{"name":"x","systemPrompt":"p","files":[{"path":null,"content":""}]}""", null)]
    [InlineData("""{"name":"x","systemPrompt":"p","files":[{"path":"a","content":null}]}""", null)]
    [InlineData("""{"name":"x","systemPrompt":"p","files":[null]}""", null)]
    [InlineData("""{"name":null,"systemPrompt":"p"}""", null)]
    [InlineData("""{"name":"x","systemPrompt":"p","env":{"A":null}}""", null)]
    [InlineData("""{"name":"x","systemPrompt":"p","env":{"A-B":"x"}}""", "env: \"A-B\" is not a name of an environment variable")]
    [InlineData("""{"name":"x","path":"relative"}""", "path must be absolute")]
    [InlineData("""{"name":"x","path":"/etc\u0000/x"}""", "path must be absolute")]
    [InlineData("""{"name":"x","path":"/","systemPrompt":"p"}""", "path must not lead to the server's own data folder")]
    public async Task ADeployThatCannotBeUsed_IsRefused_AndLeavesNothing(string body, string? message)
    {
        using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var answer = await Server.Http.PostAsync("/api/agents", content, Cancellation);

        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, text);
        if (message is not null)
        {
            using var json = System.Text.Json.JsonDocument.Parse(text);
            Assert.Equal(message, json.RootElement.GetProperty("error").GetString());
        }

        await Assert.ThrowsAsync<AshApiException>(() => Server.Client.Agents.GetAsync("x", Cancellation));
        Assert.DoesNotContain(
            Directory.GetFileSystemEntries(Path.Combine(Server.DataDirectory, "tmp")), path => Path.GetFileName(path).StartsWith("deploy-", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task Isolation_IsSaidInTheSession_AndInItsLog()
    {
        var session = await Server.CreateSessionAsync();

        Assert.Equal("full", session.Isolation);
        Assert.Contains(
            (await Server.ReadLogAsync(session.Id)).Select(e => e.Body).OfType<Ash.Client.Events.Lifecycle>(),
            body => body.Type == "sandbox.started" && body.Fact.GetProperty("isolation").GetString() == "full");
    }

    private static string NewName() => "agent-" + Guid.NewGuid().ToString("N")[..8];

    private string RequestsOf(Guid session) =>
        string.Concat(Server.Model.Requests.Where(request => request.SessionId == session.ToString()).Select(request => request.BodyText));
}
