using Ash.Testing;

namespace Ash.EndToEnd.Tests;

/// <summary>One session, many turns: the real CLI in a real sandbox, with only the model's replies scripted.</summary>
public sealed class TurnTests(TurnTests.Fixture fixture) : IClassFixture<TurnTests.Fixture>
{
    private AshServer Server => fixture.Server;

    [Fact]
    public async Task Message_IsAnswered_ByTheModelBehindTheBroker()
    {
        var session = await Server.CreateSessionAsync();

        var turn = await Server.SendAsync(session.Id, "hello");

        Assert.Equal("completed", turn.Reason);
        Assert.Equal("[Mock] Turn 1 | History: hello", turn.Result);
    }

    [Fact]
    public async Task Tools_HaveTheirEffect_InTheWorkspace()
    {
        var session = await Server.CreateSessionAsync();

        var turn = await Server.PlayAsync(session.Id, """
            [{"tool":{"name":"Bash","input":{"command":"echo from-bash > bash.txt","description":"d"}}},
             {"tool":{"name":"Write","input":{"file_path":"/workspace/written.txt","content":"from-write"}}},
             {"text":"done"}]
            """);

        Assert.Equal("completed", turn.Reason);
        var files = await Server.ExecAsync(session.Id, "cat bash.txt written.txt");
        Assert.Equal("from-bash\nfrom-write", files.Stdout);
    }

    [Fact]
    public async Task TenTurns_RunInOneProcess_AndTheModelSeesThemAll()
    {
        var session = await Server.CreateSessionAsync();
        var texts = Enumerable.Range(1, 10).Select(n => $"message {n}").ToList();
        await Server.SendAsync(session.Id, texts[0]);
        var before = CliPidOf(session.Id);

        foreach (var text in texts.Skip(1).SkipLast(1))
        {
            await Server.SendAsync(session.Id, text);
        }

        var last = await Server.SendAsync(session.Id, texts[^1]);
        Assert.Equal($"[Resumed session] Turn 10 | History: {string.Join(" | ", texts)}", last.Result);
        Assert.Equal(before, CliPidOf(session.Id));
    }

    [Fact]
    public async Task Interrupt_EndsTheTurn_AndTheNextOneWorks()
    {
        var session = await Server.CreateSessionAsync();
        var running = Server.PlayAsync(session.Id, """[{"text":"one two three four","chunk":3,"gateAfterChunks":2,"gate":"interrupt-test"}]""");
        await Server.Model.WaitUntilHeldAsync("interrupt-test", TestContext.Current.CancellationToken);

        // What the model has said and the CLI has not read yet would be no answer of the conversation.
        await Server.WaitForEventAsync(session.Id, e => e.Name == "text_delta");

        var interrupted = await Server.Client.Sessions.InterruptAsync(session.Id);
        var turn = await running;

        Assert.True(interrupted.Interrupted);
        Assert.Equal(turn.Id, interrupted.TurnId);
        Assert.Equal("interrupted", turn.Reason);
        var next = await Server.SendAsync(session.Id, "and now");
        Assert.Equal("completed", next.Reason);
        Assert.Contains("and now", next.Result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupt_SaysSo_WhereNothingRuns()
    {
        var session = await Server.CreateSessionAsync();

        var answer = await Server.Client.Sessions.InterruptAsync(session.Id);

        Assert.False(answer.Interrupted);
        Assert.Null(answer.TurnId);
    }

    private int CliPidOf(Guid session)
    {
        return Assert.Single(Server.Processes(), process => process.Name == "claude" && IsOf(process, session)).Pid;
    }

    private static bool IsOf(SandboxProcess process, Guid session) =>
        File.ReadAllText($"/proc/{process.Pid}/environ").Contains($"ASH_SESSION_ID={session}", StringComparison.Ordinal);

    public sealed class Fixture : IAsyncLifetime
    {
        public AshServer Server { get; private set; } = null!; // Set before the first test.

        public async ValueTask InitializeAsync() => Server = await AshServer.StartAsync();

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
