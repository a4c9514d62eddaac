using Ash.Protocol.Api;
using Ash.Server.Tests.InMemory;

namespace Ash.Server.Tests.Sessions;

/// <summary>Pause, stop and the like, where they meet something that is under way.</summary>
public sealed class LifecycleTests
{
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task Pause_Holds_WhereASandboxWasJustBeingStarted()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await Assert.Single(server.Host.Live).DieAsync();
        while (!(await server.ReadStreamAsync(session)).Contains("sandbox.lost", StringComparison.Ordinal))
        {
            await Task.Yield();
        }

        var hold = new TaskCompletionSource();
        server.Host.StartHold = hold;
        await server.BeginTurnAsync(session, "wake");
        var pausing = server.Client.Sessions.PauseAsync(session.Id);
        hold.SetResult();
        await pausing;

        Assert.Equal("paused", await server.StatusOfAsync(session));
    }

    [Fact(Timeout = Limit)]
    public async Task AgentWhoseFilesAreGone_IsNotStartedWithoutThem_AndTheMessageIsToldSo()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        await server.Client.Sessions.StopAsync(session.Id);
        Directory.Delete(server.AgentContents, recursive: true);
        server.Host.CliArguments = [];
        await server.Client.Sessions.ResumeAsync(session.Id);

        var turn = await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");

        Assert.Equal(("sandbox_lost", "start_failed"), (turn.Reason, turn.Code));
        Assert.Contains("deploy the agent again", turn.Result, StringComparison.Ordinal);
        Assert.Empty(server.Host.CliArguments);
        Assert.Equal("error", await server.StatusOfAsync(session));
    }

    [Fact(Timeout = Limit)]
    public async Task PausedSession_LosesItsSandbox_OnceTheLastCommandInItHasEnded()
    {
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.CreateSessionAsync();
        var hold = server.Host.ExecHold = new TaskCompletionSource();
        var sandbox = Assert.Single(server.Host.Live);
        var running = server.Client.Sessions.ExecAsync(session.Id, new ExecRequest { Command = "sleep", Timeout = 300_000 });
        await server.Host.ExecBegun.Task;
        await server.Client.Sessions.PauseAsync(session.Id);

        server.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.False(sandbox.Exited.IsCompleted);
        hold.SetResult();
        await running;
        while (!sandbox.Exited.IsCompleted)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(61));
            await Task.Yield();
        }

        Assert.Equal("paused", await server.StatusOfAsync(session));
    }
}
