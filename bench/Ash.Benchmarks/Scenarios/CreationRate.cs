using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Creates a second, ten at once.</summary>
internal sealed class CreationRate : IScenario
{
    private const int AtOnce = 10;
    private const int Each = 20;

    public string Name => "create-rate";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        await server.CreateAsync();
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            for (var i = 0; i < Each; i++)
            {
                await server.CreateAsync();
            }
        }));

        var rate = AtOnce * Each / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return [Figure.Single("creates a second, 10 at once, the stand-in started in each", "/s", rate) with { N = AtOnce * Each, Target = 80, IsMoreBetter = true }];
    }
}
