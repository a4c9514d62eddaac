using System.Runtime.Versioning;
using System.Text.RegularExpressions;

namespace Ash.EndToEnd.Tests.CommandLine;

/// <summary><c>ash chat</c>, and what else people do with sessions and agents, against the real server.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class ChatCommandTests(SessionCommandTests.Fixture fixture) : IClassFixture<SessionCommandTests.Fixture>
{
    private const string CtrlC = "\x03";
    private const string CtrlD = "\x04";

    private AshHome Home => fixture.Home;

    [Fact]
    public async Task Conversation_IsInterrupted_GoesOn_AndIsTakenUpAgain()
    {
        await Home.OutputOfAsync("deploy", Testing.TestPaths.Example("hello-agent"));
        using var chat = Home.StartOnTerminal("chat", "hello-agent");
        await chat.WaitForOutputAsync("> ");

        await chat.TypeAsync("hello\n");
        await chat.WaitForOutputAsync("[Mock] Turn 1 | History: hello\r\n> ");

        await chat.TypeAsync(Held("chat-interrupted") + "\n");
        await chat.WaitForOutputAsync("one tw");
        await chat.TypeAsync(CtrlC);
        await chat.WaitForOutputAsync("Turn interrupted.\r\n> ");

        await chat.TypeAsync("dropped" + CtrlC);
        await chat.WaitForOutputAsync("Ctrl-C again leaves, and so does Ctrl-D.\r\n> ");
        await chat.TypeAsync("two \\\nlines\n");
        await chat.WaitForOutputAsync("two \r\nlines\r\n> ");
        await chat.TypeAsync(CtrlD);

        var run = await chat.EndAsync();
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("Error", run.Out, StringComparison.Ordinal);
        var resume = ResumeLine().Match(run.Out);
        Assert.True(resume.Success, run.Out);
        var session = resume.Groups[1].Value;

        using var again = Home.StartOnTerminal("chat", "hello-agent", "-s", session);
        await again.WaitForOutputAsync("> ");
        await again.TypeAsync("later\n");
        await again.WaitForOutputAsync("| later\r\n> ");
        await again.TypeAsync(CtrlC);
        await again.WaitForOutputAsync("Ctrl-C again leaves, and so does Ctrl-D.\r\n> ");
        await again.TypeAsync(CtrlC);
        Assert.Equal(0, (await again.EndAsync()).ExitCode);

        var messages = await Home.OutputOfAsync("session", "messages", session);
        Assert.Contains("two \\\\nlines", messages, StringComparison.Ordinal);
        Assert.DoesNotContain("dropped", messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conversation_GoesOn_AcrossAServerThatIsKilled()
    {
        await Home.OutputOfAsync("deploy", Testing.TestPaths.Example("hello-agent"));
        using var chat = Home.StartOnTerminal("chat", "hello-agent", "--end");
        await chat.WaitForOutputAsync("> ");
        await chat.TypeAsync(Held("chat-killed") + "\n");
        await chat.WaitForOutputAsync("one tw");

        await fixture.Server.KillAsync();
        await fixture.Server.StartAgainAsync();
        fixture.Server.Model.Release("chat-killed");

        await chat.WaitForOutputAsync("one two three four\r\n> ");
        await chat.TypeAsync("/exit\n");
        Assert.Equal(0, (await chat.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task OneMessage_AnswersOnStandardOutput_AndEndsItsSession()
    {
        await Home.OutputOfAsync("deploy", Testing.TestPaths.Example("hello-agent"));

        var run = await Home.RunAsync("chat", "hello-agent", "hello", "--end");
        var kept = await Home.RunAsync("chat", "hello-agent", "hello");
        var failed = await Home.RunAsync(
            "chat", "hello-agent", """@@fake {"error":{"status":403,"type":"permission_error","message":"not for you"}}""", "--end");

        Assert.Equal(new AshRun(0, "[Mock] Turn 1 | History: hello\n", ""), run);
        Assert.Equal((0, "[Mock] Turn 1 | History: hello\n"), (kept.ExitCode, kept.Out));
        Assert.Matches("^Session: [0-9a-f-]{36}\n$", kept.Error);
        Assert.Equal((6, ""), (failed.ExitCode, failed.Out));
        Assert.Contains("not for you", failed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tail_ShowsATurn_WhileItRuns()
    {
        var session = await Home.CreateSessionAsync();
        using var tail = Home.Start("session", "tail", session);
        await tail.WaitForOutputAsync("[lifecycle] created");

        await Home.OutputOfAsync("session", "send", session, """
            @@fake [{"text":"I look.","tool":{"name":"Bash","input":{"command":"echo hi","description":"d"}}},{"text":"It says hi."}]
            """);
        await tail.WaitForOutputAsync("[turn_complete] It says hi.");
        tail.Interrupt();

        var run = await tail.EndAsync();
        Assert.Equal((0, "Stopped tailing.\n"), (run.ExitCode, run.Error));
        Assert.Matches(@"(?s)\[text\] I look\.\n.*\[tool_start\] Bash: echo hi\n.*\[tool_result\] hi\n.*\[text\] It says hi\.\n", run.Out);
        Assert.Contains("[turn_complete] It says hi.", await Home.OutputOfAsync("session", "tail", session, "--no-follow"), StringComparison.Ordinal);
        Assert.Contains("\"type\": \"text\"", await Home.OutputOfAsync("session", "events", session, "-t", "text"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agent_IsChangedInPlace()
    {
        await Home.OutputOfAsync("deploy", Testing.TestPaths.Example("hello-agent"), "-n", "changing");
        var file = Path.Combine(Home.Folder, "note.md");
        await File.WriteAllTextAsync(file, "a note", TestContext.Current.CancellationToken);

        Assert.Equal("Wrote docs/note.md (6 bytes)\n", await Home.OutputOfAsync("agent", "write", "changing", file, "docs/note.md"));
        Assert.Equal("a note", await Home.OutputOfAsync("agent", "read", "changing", "docs/note.md"));
        Assert.Contains("docs/note.md", await Home.OutputOfAsync("agent", "files", "changing"), StringComparison.Ordinal);
        await Home.OutputOfAsync("agent", "rm", "changing", "docs/note.md");
        Assert.Contains("\"version\": 3", await Home.OutputOfAsync("agent", "deploys", "changing"), StringComparison.Ordinal);
        Assert.Equal(
            "Rolled back agent \"changing\" to the content of v2 (now v4)\n", await Home.OutputOfAsync("agent", "rollback", "changing", "2"));
        Assert.Equal("a note", await Home.OutputOfAsync("agent", "read", "changing", "docs/note.md"));

        Assert.Contains("\"K\": \"***\"", await Home.OutputOfAsync("agent", "env", "changing", "K=V"), StringComparison.Ordinal);
        Assert.Equal("{}\n", await Home.OutputOfAsync("agent", "env", "changing", "--clear"));
        Assert.Equal("{\"a\":1}\n", await Home.OutputOfAsync("--json", "agent", "config", "changing", "--set", "{\"a\":1}"));
        await Home.OutputOfAsync("agent", "update", "changing", "--prompt", "Be brief.");
        Assert.Equal("Be brief.", await Home.OutputOfAsync("agent", "read", "changing", "CLAUDE.md"));

        await Home.OutputOfAsync("agent", "prompt", "create", "changing", "--prompt", "Be kind.", "--activate");
        Assert.Contains("\"isActive\": true", await Home.OutputOfAsync("agent", "prompt", "show", "changing", "1"), StringComparison.Ordinal);
        await Home.OutputOfAsync("agent", "prompt", "delete", "changing", "1");
        await Home.OutputOfAsync("agent", "clone", "changing", "changed");
        await Home.OutputOfAsync("agent", "download", "changed");
        Assert.True(new FileInfo(Path.Combine(Home.Folder, "changed.tar.gz")).Length > 0);
        Assert.Equal(3, (await Home.RunAsync("agent", "read", "changed", "docs/missing.md")).ExitCode);
    }

    [Fact]
    public async Task Bash_Completes_WithWhatTheProgramPrints()
    {
        var script = Path.Combine(Home.Folder, "complete.bash");
        await File.WriteAllTextAsync(
            script,
            """
            eval "$(ash completion bash)"
            COMP_WORDS=(ash session fo); COMP_CWORD=2
            _ash_complete
            printf '%s\n' "${COMPREPLY[@]}"
            """,
            TestContext.Current.CancellationToken);

        Assert.Equal("fork\n", await Home.ShellAsync(script));
    }

    // Written so that what the terminal echoes is not what the model says: only the answer has "one tw".
    private static string Held(string gate) => $$"""@@fake [{"text":"\u006fne two three four","chunk":3,"gateAfterChunks":2,"gate":"{{gate}}"}]""";

    [GeneratedRegex(@"Go on with: ash chat hello-agent -s ([0-9a-f-]{36})\r\n")]
    private static partial Regex ResumeLine();
}
