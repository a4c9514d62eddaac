namespace Ash.Cli.Tests.Agents;

/// <summary><c>ash deploy --check</c>: what is wrong with a folder, without a server.</summary>
public sealed class CheckTests
{
    [Fact]
    public async Task FolderInOrder_IsSaidToBe()
    {
        using var home = new TestHome();
        home.Write("bot/CLAUDE.md", "# Bot");
        home.Write("bot/.claude/settings.json", """{"permissions":{"deny":["Bash"]}}""");
        home.Write("bot/.mcp.json", """{"mcpServers":{"a":{"command":"x"},"b":{"url":"https://example.com"}}}""");
        home.Write("bot/ash.json", "{ /* ours takes comments */ \"onBusy\": \"reject\", }");

        var run = await home.RunAsync("deploy", Path.Combine(home.Folder, "bot"), "--check");

        Assert.Equal((ExitCodes.Ok, "Nothing is wrong with 4 file(s)\n", ""), (run.ExitCode, run.Out, run.Error));
    }

    [Theory]
    [InlineData("CLAUDE.md", " \n", "CLAUDE.md: is empty: it is the agent's system prompt")]
    [InlineData(".claude/settings.json", "{\n\"a\": b\n}", ".claude/settings.json:2: is not valid JSON")]
    [InlineData(".claude/settings.json", "[]", ".claude/settings.json:1: must be an object")]
    [InlineData(".mcp.json", "{}", ".mcp.json: must have an object mcpServers")]
    [InlineData(".mcp.json", """{"mcpServers":{"a":{}}}""", ".mcp.json: mcpServers.a must have either a command or a url")]
    [InlineData(".mcp.json", "// no comments here\n{}", ".mcp.json:1: is not valid JSON")]
    [InlineData("ash.json", "{", "ash.json:1: is not valid JSON")]
    public async Task FileThatCannotBeUsed_IsNamedWithItsLine_AndNotDeployed(string file, string text, string finding)
    {
        using var home = new TestHome();
        home.Write("bot/CLAUDE.md", "# Bot");
        home.Write("bot/" + file, text);

        var check = await home.RunAsync("deploy", Path.Combine(home.Folder, "bot"), "--check");
        var deploy = await home.RunAsync("deploy", Path.Combine(home.Folder, "bot"), "--server", "http://127.0.0.1:1");

        Assert.Equal((ExitCodes.Failed, finding + "\n"), (check.ExitCode, check.Out));
        Assert.Equal((ExitCodes.Failed, finding), (deploy.ExitCode, deploy.Error.Trim()));
    }

    [Fact]
    public async Task FolderWithoutAPrompt_IsSaidToLackIt()
    {
        using var home = new TestHome();
        home.Write("bot/readme.md", "x");

        var run = await home.RunAsync("deploy", Path.Combine(home.Folder, "bot"), "--check");

        Assert.Equal((ExitCodes.Failed, "CLAUDE.md: is missing: it is the agent's system prompt\n"), (run.ExitCode, run.Out));
    }

    [Theory]
    [InlineData("sk-ant-", "api03-abcdefghijklmnopqrstuvwx", "Anthropic")]
    [InlineData("AKIA", "ABCDEFGHIJKLMNOP", "AWS")]
    [InlineData("ghp_", "abcdefghijklmnopqrstuvwxyz0123456789", "GitHub")]
    [InlineData("-----BEGIN RSA ", "PRIVATE KEY-----", "PrivateKey")]
    public async Task Secret_IsFoundWithItsLine_AndNotShown(string start, string rest, string kind)
    {
        using var home = new TestHome();
        home.Write("bot/CLAUDE.md", "# Bot");
        home.Write("bot/tools/call.py", $"import os\nkey = '{start}{rest}'\n");

        var run = await home.RunAsync("deploy", Path.Combine(home.Folder, "bot"), "--check");

        Assert.Equal(ExitCodes.Failed, run.ExitCode);
        Assert.StartsWith($"tools/call.py:2: seems to hold a secret ({kind})", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(start + rest, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Findings_AreALineOfJson_ForPrograms()
    {
        using var home = new TestHome();
        home.Write("bot/CLAUDE.md", "");

        var run = await home.RunAsync("deploy", Path.Combine(home.Folder, "bot"), "--check", "--json");

        Assert.Equal("""[{"file":"CLAUDE.md","line":null,"message":"is empty: it is the agent's system prompt","maySucceed":false}]""", run.Out.Trim());
    }
}
