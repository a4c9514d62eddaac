using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Many sessions that all get a message at one instant.</summary>
internal sealed class TurnsAtOneInstant : IScenario
{
    public string Name => "instant";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var times = await MeasureAsync(BenchServer.StartAsync(), effort.Times(400, least: 20));
        var few = await MeasureAsync(BenchServer.StartWithCliAsync(), effort.Times(20, least: 2));
        return
        [
            Figure.Of($"{times.Length} turns started at one instant, stand-in that takes 50 ms", "ms", times) with { TargetP99 = 800 },
            Figure.Of($"{few.Length} turns started at one instant, the real CLI and a model that answers at once", "ms", few),
        ];
    }

    private static async Task<double[]> MeasureAsync(Task<BenchServer> starting, int count)
    {
        await using var server = await starting;
        var sessions = await server.CreateManyAsync(count, atOnce: 10);
        await Task.WhenAll(sessions.Select(session => server.SendAsync(session, "warm up")));
        return await Task.WhenAll(sessions.Select(async session =>
        {
            var begun = Stopwatch.GetTimestamp();
            var turn = await server.SendAsync(session, "now");
            return turn.Reason == "completed"
                ? Stopwatch.GetElapsedTime(begun).TotalMilliseconds
                : throw new InvalidOperationException($"A turn ended with {turn.Reason}: {turn.Result}");
        }));
    }
}
