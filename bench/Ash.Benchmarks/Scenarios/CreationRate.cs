using System.Diagnostics;
using Ash.Benchmarks.Floors;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Creates a second, ten at once.</summary>
internal sealed class CreationRate : IScenario
{
    private const int AtOnce = 10;

    public string Name => "create-rate";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var each = effort.Times(20, least: 2);
        await using var server = await BenchServer.StartAsync();
        using var bare = new BareSandbox();
        await server.CreateManyAsync(AtOnce, AtOnce);
        var rate = await MeasureAsync(each, server.CreateAsync);
        var floor = await MeasureAsync(each, bare.RunAsync);
        return
        [
            Figure.Single("creates a second, 10 at once, the stand-in started in each", "/s", rate) with
            {
                N = AtOnce * each, Floor = floor, FloorIs = "bwrap true", Target = 80, IsMoreBetter = true,
            },
        ];
    }

    private static async Task<double> MeasureAsync(int each, Func<Task> work)
    {
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await work();
            }
        })));
        return AtOnce * each / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
