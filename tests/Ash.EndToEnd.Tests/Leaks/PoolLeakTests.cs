using Ash.Protocol.Api;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Leaks;

/// <summary>
/// Sandboxes that are claimed, evicted and started anew, more than fifty times over all and three hundred in the long form, leave
/// nothing. A stand-in runs in the CLI's place: it starts in a hundredth of the time, and what is looked for is what Ash leaves.
/// </summary>
public sealed class PoolLeakTests(ITestOutputHelper output)
{
    private const int Places = 2;

    /// <summary>So many find out what a server keeps for good; the rest must add nothing to it.</summary>
    private static readonly int EarlyRounds = IsLong ? 20 : 4;

    private static readonly int Rounds = IsLong ? 45 : 8;

    private static bool IsLong => Environment.GetEnvironmentVariable("ASH_TEST_LONG") is { Length: > 0 };

    private const long MaxHeapGrowth = 1024 * 1024;
    private const long MaxResidentGrowth = 20 * 1024 * 1024;

    [Fact(Timeout = 15 * 60_000)]
    public async Task ClaimsEvictionsAndWakes_LeaveNothing()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var server = await AshServer.StartAsync(new AshServerOptions
        {
            Environment = new Dictionary<string, string?>(StandInCli.Settings) { ["ASH_MAX_SANDBOXES"] = $"{Places}", ["ASH_WARM_SANDBOXES"] = "1" },
        });
        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "pooled", SystemPrompt = "Be brief." }, cancellationToken);
        await UsePlacesAsync(server, rounds: 1);
        await server.Client.Agents.DeleteAsync("pooled", cancellationToken);
        var before = await ServerRemains.OnceQuietAsync(server, ServerRemains.FoldersOf(server), cancellationToken);

        await server.Client.Agents.DeployAsync(new DeployAgentRequest { Name = "pooled", SystemPrompt = "Be brief." }, cancellationToken);
        await UsePlacesAsync(server, EarlyRounds);
        var early = await ServerFootprint.MeasureAsync(server, cancellationToken);
        await UsePlacesAsync(server, Rounds - EarlyRounds);
        var late = await ServerFootprint.MeasureAsync(server, cancellationToken);
        output.WriteLine($"early: {early}\nlate: {late}");
        var pool = (await server.Client.GetHealthAsync(cancellationToken)).Pool;
        Assert.InRange(pool.PreWarmHits, 2 * Rounds, int.MaxValue);
        Assert.InRange(pool.ResumeColdHits, 2 * Rounds, int.MaxValue);

        // With the agent the sandbox goes that still waits for a session of it.
        await server.Client.Agents.DeleteAsync("pooled", cancellationToken);
        Assert.Equal(before, await ServerRemains.OnceQuietAsync(server, before, cancellationToken));
        Assert.Empty(server.Processes());
        Assert.Empty(ServerRemains.StoredRows(server));
        Assert.InRange(late.HeapBytes - early.HeapBytes, long.MinValue, MaxHeapGrowth);
        Assert.InRange(late.ResidentBytes - early.ResidentBytes, long.MinValue, MaxResidentGrowth);
    }

    private static async Task UsePlacesAsync(AshServer server, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            await UsePlacesOnceAsync(server);
        }
    }

    /// <summary>Two sessions claim a sandbox each, then three share the two places: three evictions, two of them met by a wake.</summary>
    private static async Task UsePlacesOnceAsync(AshServer server)
    {
        var first = await ClaimAsync(server);
        var second = await ClaimAsync(server);
        var third = await CreateAsync(server);
        foreach (var session in (Guid[])[third, first, second])
        {
            Assert.Equal("completed", (await server.SendAsync(session, "NODELAY")).Reason);
        }

        foreach (var session in (Guid[])[first, second, third])
        {
            await server.Client.Sessions.EndAsync(session, purge: true);
        }
    }

    private static async Task<Guid> ClaimAsync(AshServer server)
    {
        await server.WaitUntilAsync(health => health.Pool.Warm > 0);
        return await CreateAsync(server);
    }

    private static async Task<Guid> CreateAsync(AshServer server) =>
        (await server.Client.Sessions.CreateAsync(new CreateSessionRequest { Agent = "pooled" })).Id;
}
