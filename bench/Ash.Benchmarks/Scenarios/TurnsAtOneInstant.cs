using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Four hundred sessions that all get a message at one instant.</summary>
internal sealed class TurnsAtOneInstant : IScenario
{
    private const int Sessions = 400;

    public string Name => "instant";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        var sessions = new List<Guid>();
        foreach (var batch in Enumerable.Range(0, Sessions).Chunk(10))
        {
            sessions.AddRange((await Task.WhenAll(batch.Select(_ => server.CreateAsync()))).Select(session => session.Id));
        }

        await Task.WhenAll(sessions.Select(session => server.SendAsync(session, "warm up")));
        var times = await Task.WhenAll(sessions.Select(async session =>
        {
            var begun = Stopwatch.GetTimestamp();
            await server.SendAsync(session, "now");
            return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        }));
        var figure = Figure.Of("400 turns started at one instant, stand-in that takes 50 ms: p99 beside the median", "ms", times);
        return [figure, Figure.Single("… p99", "ms", figure.P99!.Value) with { N = Sessions, Target = 800 }];
    }
}
