using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Capacity;

/// <summary>More sessions than places, with real processes.</summary>
public sealed class CapacityTests
{
    private const int Places = 5;
    private const int Sessions = 20;
    private const int Limit = 300_000;

    [Fact(Timeout = Limit)]
    public async Task TwentySessions_ShareFivePlaces_AndWhatWasEvictedWakesWithItsFilesAndItsConversation()
    {
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?> { ["ASH_MAX_SANDBOXES"] = $"{Places}", ["ASH_CAPACITY_WAIT"] = "120s" },
        });
        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "many", SystemPrompt = "You are one of many." });
        using var watching = new CancellationTokenSource();
        var most = WatchAsync(server, watching.Token);

        var sessions = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(n => UseAsync(server, n)));
        await watching.CancelAsync();

        Assert.InRange(await most, 1, Places);
        for (var n = 0; n < Sessions; n++)
        {
            var answer = await server.SendAsync(sessions[n], "again");
            Assert.EndsWith($"| again", answer.Result, StringComparison.Ordinal);
            Assert.StartsWith("[Resumed session] Turn 2 |", answer.Result, StringComparison.Ordinal);
            Assert.Equal($"{n}\n", (await server.ExecAsync(sessions[n], "cat mine.txt")).Stdout);
        }

        Assert.InRange((await server.Client.GetHealthAsync()).Pool.ResumeColdHits, Sessions - Places, int.MaxValue);
    }

    private static async Task<Guid> UseAsync(AshServer server, int number)
    {
        var session = await server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "many" });
        var turn = await server.PlayAsync(
            session.Id, $$"""[{"tool":{"name":"Bash","input":{"command":"echo {{number}} > mine.txt","description":"d"} } },{"text":"done"}]""");
        Assert.Equal("completed", turn.Reason);
        return session.Id;
    }

    /// <summary>The most sandboxes that were there at once, seen from outside.</summary>
    private static async Task<int> WatchAsync(AshServer server, CancellationToken cancellationToken)
    {
        var most = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            most = Math.Max(most, server.Processes().Select(process => process.Sandbox).Distinct().Count());
            await Task.Delay(20, CancellationToken.None);
        }

        return most;
    }
}
