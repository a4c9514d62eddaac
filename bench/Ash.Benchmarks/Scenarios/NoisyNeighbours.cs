namespace Ash.Benchmarks.Scenarios;

/// <summary>Ordinary turns of one session, alone and while twenty others flood.</summary>
internal sealed class NoisyNeighbours : IScenario
{
    private const int Neighbours = 20;
    private const double Tolerance = 3;

    public string Name => "neighbours";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var turns = effort.Times(300, least: 20);
        await using var server = await BenchServer.StartAsync(("ASH_IDLE_TIMEOUT_MS", "0"));
        var session = (await server.CreateAsync()).Id;
        var neighbours = await server.CreateManyAsync(Neighbours, atOnce: 5);
        using var client = server.Connect();
        var message = client.Make("POST", $"/api/sessions/{session}/messages", """{"content":"an ordinary turn"}""");
        var alone = BenchServer.Time(turns, warmUp: effort.Times(50), () => client.Send(message));

        using var ending = new CancellationTokenSource();
        var floods = neighbours.Select(neighbour => FloodAsync(server, neighbour, ending.Token)).ToList();
        double[] amid;
        try
        {
            // All of them have begun.
            await server.WaitUntilAsync(health => health.Pool.Running >= Neighbours / 2);
            amid = await Task.Run(() => BenchServer.Time(turns, warmUp: 5, () => client.Send(message)));
        }
        finally
        {
            await ending.CancelAsync();
        }

        var count = (await Task.WhenAll(floods)).Sum();
        var quiet = Figure.Of("a turn of the stand-in's 50 ms, alone", "ms", alone);
        return
        [
            quiet,
            Figure.Of($"… while {Neighbours} others flood, {count} floods of 20,000 events in all", "ms", amid) with
            {
                Floor = quiet.P50, FloorIs = "alone", TargetP99 = quiet.P99 * Tolerance,
            },
        ];
    }

    /// <summary>One flood after another.</summary>
    /// <returns>How many.</returns>
    private static async Task<int> FloodAsync(BenchServer server, Guid session, CancellationToken ending)
    {
        var count = 0;
        do
        {
            await server.SendAsync(session, "FLOOD:20000:delta NODELAY");
            count++;
        }
        while (!ending.IsCancellationRequested);

        return count;
    }
}
