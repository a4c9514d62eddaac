using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Api;

/// <summary>A fork's agent has the files and the conversation of its parent, each text once.</summary>
[Collection(typeof(ApiTests))]
public sealed class ForkTests(ApiServer fixture)
{
    private const int Limit = 120_000;

    private AshServer Server => fixture.Server;

    [Fact(Timeout = Limit)]
    public async Task Fork_GoesOnFromItsParent_AndBothGoTheirOwnWays()
    {
        var parent = (await Server.CreateSessionAsync()).Id;
        await Server.SendAsync(parent, "one");
        await Server.PlayAsync(parent, """
            [{"tool":{"name":"Bash","input":{"command":"mkdir kept && echo by-the-agent > kept/file && ln -s kept/file link","description":"d"}}},{"text":"two"}]
            """);

        var fork = await ForkAsync(parent);

        Assert.Equal(("paused", parent), (fork.Status, fork.ParentSessionId));
        var inFork = await Server.SendAsync(fork.Id, "three in the fork");
        Assert.StartsWith("[Resumed session] Turn 3 | History: one |", inFork.Result, StringComparison.Ordinal);
        Assert.EndsWith("| three in the fork", inFork.Result, StringComparison.Ordinal);
        Assert.Equal("by-the-agent\n", (await Server.ExecAsync(fork.Id, "cat link; echo changed > kept/file")).Stdout);
        Assert.DoesNotContain("three in the fork", (await Server.SendAsync(parent, "three in the parent")).Result, StringComparison.Ordinal);
        Assert.Equal("by-the-agent\n", (await Server.ExecAsync(parent, "cat link")).Stdout);
        Assert.NotEqual(
            (await Server.ExecAsync(parent, "stat -c %i kept/file")).Stdout, (await Server.ExecAsync(fork.Id, "stat -c %i kept/file")).Stdout);
    }

    [Fact(Timeout = Limit)]
    public async Task ForkInMidTurn_EndsBeforeThatTurn_WhichGoesOn()
    {
        var parent = (await Server.CreateSessionAsync()).Id;
        await Server.SendAsync(parent, "done");
        var running = Server.SendAsync(parent, HeldTool.Message);
        await HeldTool.WaitUntilItRunsAsync(Server, parent);

        var fork = await ForkAsync(parent);

        Assert.Equal("[Resumed session] Turn 2 | History: done | on", (await Server.SendAsync(fork.Id, "on")).Result);
        await HeldTool.LetGoAsync(Server, parent);
        Assert.Equal(("completed", "the end"), ((await running).Reason, (await running).Result));
    }

    private async Task<SessionInfo> ForkAsync(Guid session)
    {
        using var answer = await Server.Http.PostAsync($"/api/sessions/{session}/fork", null, TestContext.Current.CancellationToken);
        Assert.Equal(201, (int)answer.StatusCode);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return JsonSerializer.Deserialize(body, ApiJson.Default.SessionEnvelope)!.Session;
    }
}
