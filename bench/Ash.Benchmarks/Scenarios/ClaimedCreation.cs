namespace Ash.Benchmarks.Scenarios;

/// <summary>A session that gets a sandbox in which the real CLI waits; the next is created when the pool is full and quiet again.</summary>
internal sealed class ClaimedCreation : IScenario
{
    private const int Waiting = 2;

    /// <summary>A CLI that was just started is still at work.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    public string Name => "create-warm";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        const int warmUp = 5;
        var count = effort.Times(60, least: 3);
        await using var server = await BenchServer.StartWithCliAsync(("ASH_WARM_SANDBOXES", $"{Waiting}"));
        using var client = server.Connect();
        var create = client.Make("POST", "/api/sessions", BenchServer.CreateBody);
        await server.CreateAsync(); // Says which agent is in use.
        var times = await BenchServer.TimeAsync(count, warmUp, CreateAsync, FillPoolAsync);
        var claimed = (await server.Server.Client.GetHealthAsync()).Pool.PreWarmHits;
        return claimed == count + warmUp
            ? [Figure.Of("session create, warm pool, the CLI started in it", "ms", times) with { Target = 5 }]
            : throw new InvalidOperationException($"Of {count + warmUp} sessions {claimed} were given a sandbox that waited.");

        Task CreateAsync()
        {
            client.Send(create);
            return Task.CompletedTask;
        }

        async Task FillPoolAsync()
        {
            foreach (var session in await server.Server.Client.Sessions.ListAsync())
            {
                await server.Server.Client.Sessions.EndAsync(session.Id, purge: true);
            }

            await server.WaitUntilAsync(health => health.Pool.Warm == Waiting);
            await Task.Delay(Quiet);
        }
    }
}
