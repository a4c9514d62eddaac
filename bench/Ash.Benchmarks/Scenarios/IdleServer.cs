using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>What a server costs that nobody uses, and how soon it is there.</summary>
internal sealed class IdleServer : IScenario
{
    /// <summary>Until what the start has left behind is collected.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    public string Name => "idle";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var starts = new List<double>();
        var proportional = new List<double>();
        var resident = new List<double>();
        for (var i = 0; i < effort.Times(5, least: 2); i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await using var server = await Testing.AshServer.StartAsync();
            await server.Client.GetReadinessAsync();
            starts.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);
            await Task.Delay(Settling);
            proportional.Add(Machine.MegabytesOf(server.Pid, "smaps_rollup", "Pss"));
            resident.Add(Machine.MegabytesOf(server.Pid, "status", "VmRSS"));
        }

        return
        [
            Figure.Of("start to ready, cluster, database and sandbox self-test included", "s", starts) with { Target = 1.5 },
            Figure.Of("server idle, PSS", "MB", proportional) with { Target = 150 },
            Figure.Of("server idle, RSS", "MB", resident) with { Target = 160 },
        ];
    }
}
