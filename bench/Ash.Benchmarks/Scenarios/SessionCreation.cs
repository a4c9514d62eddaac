using Ash.Benchmarks.Floors;

namespace Ash.Benchmarks.Scenarios;

/// <summary>A session with its sandbox and bridge ready, one after another, each on a quiet machine.</summary>
internal sealed class SessionCreation : IScenario
{
    /// <summary>The CLI that the last one's sandbox was given is still at work.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(0.2);

    public string Name => "create";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        await using var server = await BenchServer.StartAsync();
        using var bare = new BareSandbox();
        var created = await BenchServer.TimeAsync(effort.Times(100), warmUp: 20, server.CreateAsync, () => Task.Delay(Quiet));
        var floor = await BenchServer.TimeAsync(effort.Times(50), warmUp: 5, bare.RunAsync);
        return
        [
            Figure.Of("session create, cold, sandbox and bridge ready", "ms", created) with
            {
                Floor = Figure.Median(floor), FloorIs = "bwrap true", Target = 30,
            },
        ];
    }
}
