using System.Runtime.Versioning;
using System.Text.Json;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.CommandLine;

/// <summary><c>ash session …</c>, against the real server.</summary>
[SupportedOSPlatform("linux")]
public sealed class SessionCommandTests(SessionCommandTests.Fixture fixture) : IClassFixture<SessionCommandTests.Fixture>
{
    private const string BrokenOff = "· the answer broke off, and is begun anew\n";

    private AshServer Server => fixture.Server;

    private AshHome Home => fixture.Home;

    [Fact]
    public async Task Send_ShowsTextAsItComes_AndToolsAsNotes()
    {
        var session = await Home.CreateSessionAsync();
        using var send = Home.Start("session", "send", session, """
            @@fake [{"text":"I write it down.","tool":{"name":"Write","input":{"file_path":"/workspace/note.txt","content":"hi"}}},
                    {"text":"All is written down.","chunk":4,"gateAfterChunks":2,"gate":"cli-streams"}]
            """);

        await Server.Model.WaitUntilHeldAsync("cli-streams", TestContext.Current.CancellationToken);
        await send.WaitForOutputAsync("All is w");
        Server.Model.Release("cli-streams");
        var run = await send.EndAsync();

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Out.TrimEnd('\n').Split('\n');
        Assert.Equal(["I write it down.", "· Write: /workspace/note.txt"], lines[..2]);
        Assert.StartsWith("  → File created successfully", lines[2], StringComparison.Ordinal);
        Assert.Equal(["All is written down."], lines[3..]);
        Assert.Equal("hi", await Home.OutputOfAsync("session", "exec", session, "cat note.txt"));
    }

    [Fact]
    public async Task Send_PrintsEveryEventAsALine_ForPrograms()
    {
        var session = await Home.CreateSessionAsync();

        var output = await Home.OutputOfAsync("--json", "session", "send", session, "hello");

        var events = output.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal("session_start", events[0].GetProperty("event").GetString());
        Assert.Equal("done", events[^1].GetProperty("event").GetString());
        Assert.Equal("completed", events[^1].GetProperty("data").GetProperty("reason").GetString());
        Assert.Equal("[Mock] Turn 1 | History: hello", string.Concat(events
            .Where(one => one.GetProperty("event").GetString() == "text_delta")
            .Select(one => one.GetProperty("data").GetProperty("delta").GetString())));
    }

    [Fact]
    public async Task Send_WakesAPausedSession()
    {
        var session = await Home.CreateSessionAsync();
        await Home.OutputOfAsync("session", "send", session, "one");

        Assert.Contains("\"status\": \"paused\"", await Home.OutputOfAsync("session", "pause", session), StringComparison.Ordinal);

        Assert.Equal("[Resumed session] Turn 2 | History: one | two\n", await Home.OutputOfAsync("session", "send", session, "two"));
    }

    [Fact]
    public async Task Send_Exits6_WhereTheTurnIsInterrupted()
    {
        var session = await Home.CreateSessionAsync();
        using var send = Home.Start("session", "send", session, Held("cli-interrupted"));
        await send.WaitForOutputAsync("one tw");

        var interrupted = await Home.OutputOfAsync("session", "interrupt", session);

        Assert.StartsWith("Turn interrupted: ", interrupted, StringComparison.Ordinal);
        var run = await send.EndAsync();
        Assert.Equal((6, "one tw\n", "Error: The turn was interrupted.\n"), (run.ExitCode, run.Out, run.Error));
        Assert.Equal("No turn was running.\n", await Home.OutputOfAsync("session", "interrupt", session));
    }

    [Fact]
    public async Task CtrlC_InterruptsTheTurn_AndTheNextOneWorks()
    {
        var session = await Home.CreateSessionAsync();
        using var send = Home.Start("session", "send", session, Held("cli-ctrl-c"));
        await send.WaitForOutputAsync("one tw");

        send.Interrupt();

        var run = await send.EndAsync();
        Assert.Equal((130, "one tw\n", "Turn interrupted.\n"), (run.ExitCode, run.Out, run.Error));
        Assert.Contains("and now", await Home.OutputOfAsync("session", "send", session, "and now"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_Exits6_WhereTheModelRefuses()
    {
        var session = await Home.CreateSessionAsync();

        var run = await Home.RunAsync(
            "session", "send", session, """@@fake {"error":{"status":403,"type":"permission_error","message":"not for you"}}""");

        Assert.Equal((6, ""), (run.ExitCode, run.Out));
        Assert.Contains("not for you", Assert.Single(run.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_GoesOn_AcrossAServerThatIsKilledBetweenModelCalls()
    {
        var session = await Home.CreateSessionAsync();
        using var send = Home.Start("session", "send", session, """
            @@fake [{"text":"First.","tool":{"name":"Bash","input":{"command":"echo hi | tee -a once","description":"d"}}},
                    {"text":"Second.","chunk":3,"gate":"cli-killed"}]
            """);
        await send.WaitForOutputAsync("→ hi");
        await Server.Model.WaitUntilHeldAsync("cli-killed", TestContext.Current.CancellationToken);

        await Server.KillAsync();
        await Server.StartAgainAsync();
        Server.Model.Release("cli-killed");

        var run = await send.EndAsync();
        Assert.Equal((0, "First.\n· Bash: echo hi | tee -a once\n  → hi\nSecond.\n", ""), (run.ExitCode, run.Out, run.Error));
        Assert.Equal("hi\n", await Home.OutputOfAsync("session", "exec", session, "cat once"));
        Assert.Equal(1, await CountMessagesAsync(session));
    }

    [Fact]
    public async Task Send_ShowsTheWholeAnswer_WhereTheServerIsKilledAmidTheModelsText()
    {
        var session = await Home.CreateSessionAsync();
        using var send = Home.Start("session", "send", session, Held("cli-killed-amid"));
        await send.WaitForOutputAsync("one tw");

        await Server.KillAsync();
        await Server.StartAgainAsync();
        Server.Model.Release("cli-killed-amid");

        var run = await send.EndAsync();
        Assert.Equal((0, $"one tw\n{BrokenOff}one two three four\n", ""), (run.ExitCode, run.Out, run.Error));
        Assert.Equal(1, await CountMessagesAsync(session));
    }

    [Fact]
    public async Task Exec_PassesBothStreamsOn_AndExitsAsTheCommandDid()
    {
        var session = await Home.CreateSessionAsync();

        var run = await Home.RunAsync("session", "exec", session, "echo out; echo err >&2; pwd; exit 17");

        Assert.Equal(new AshRun(17, "out\n/workspace\n", "err\n"), run);
    }

    [Fact]
    public async Task CtrlC_EndsTheCommandOfAnExec()
    {
        var session = await Home.CreateSessionAsync();
        using var exec = Home.Start("session", "exec", session, "touch begun; exec sleep 1234");
        await Home.OutputOfAsync("session", "exec", session, "until [ -e begun ]; do sleep 0.02; done");

        exec.Interrupt();

        Assert.Equal(130, (await exec.EndAsync()).ExitCode);
        await Home.OutputOfAsync("session", "exec", session, "while grep -lsz '^123[4]$' /proc/[0-9]*/cmdline; do sleep 0.02; done");
    }

    [Fact]
    public async Task Failures_HaveTheirExitCodes()
    {
        var session = await Home.CreateSessionAsync();
        await Home.OutputOfAsync("session", "end", session);

        await FailsAsync(1, "Failed: Session is ended (400, session_state)", "session", "send", session, "hi");
        await FailsAsync(2, "Not a session's id", "session", "get", "nonsense");
        await FailsAsync(3, "Failed: Session not found (404, session_not_found)", "session", "send", $"{Guid.Empty}", "hi");
        await FailsAsync(3, "Failed: ", "session", "create", "no-such-agent");
        await FailsAsync(4, "Failed: ", "session", "list", "--api-key", "wrong");
        await FailsAsync(5, "No Ash server answers at http://127.0.0.1:1", "session", "list", "--server", "http://127.0.0.1:1");
        await FailsAsync(1, "Agent directory must contain CLAUDE.md", "deploy", Home.Folder);
    }

    [Fact]
    public async Task Link_SendsCommandsElsewhere_UntilUnlink()
    {
        using var home = new AshHome();

        Assert.StartsWith($"Linked to {Base}\n", await home.OutputOfAsync("link", Base, "--api-key", Server.ApiKey), StringComparison.Ordinal);
        Assert.Contains("\"status\": \"ok\"", await home.OutputOfAsync("health"), StringComparison.Ordinal);
        await home.OutputOfAsync("agent", "list");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(home.ConfigFile));
        Assert.StartsWith($"Unlinked from {Base}\n", await home.OutputOfAsync("unlink"), StringComparison.Ordinal);
        Assert.Null(home.Config("server_url"));
        Assert.Null(home.Config("api_key"));
    }

    private string Base => Server.Url.ToString().TrimEnd('/');

    private static string Held(string gate) => $$"""@@fake [{"text":"one two three four","chunk":3,"gateAfterChunks":2,"gate":"{{gate}}"}]""";

    private async Task FailsAsync(int exitCode, string told, params string[] args)
    {
        var run = await Home.RunAsync(args);
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Out));
        Assert.StartsWith(told, run.Error, StringComparison.Ordinal);
    }

    private async Task<int> CountMessagesAsync(string session)
    {
        var log = await Server.ReadLogAsync(Guid.Parse(session));
        return log.Count(one => one.Body is Client.Events.Lifecycle { Type: "message" });
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal AshHome Home { get; private set; } = null!; // Set before the first test.

        public AshServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await AshServer.StartAsync();
            Home = AshHome.Of(Server);
        }

        public async ValueTask DisposeAsync()
        {
            Home.Dispose();
            await Server.DisposeAsync();
        }
    }
}
