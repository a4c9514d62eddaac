using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>What a server costs that nobody uses, and how soon it is there.</summary>
internal sealed class IdleServer : IScenario
{
    private const int Starts = 5;

    public string Name => "idle";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        var starts = new List<double>();
        double proportional = 0, resident = 0;
        for (var i = 0; i < Starts; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await using var server = await Testing.AshServer.StartAsync();
            await server.Client.GetReadinessAsync();
            starts.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);
            proportional = Machine.MegabytesOf(server.Pid, "smaps_rollup", "Pss");
            resident = Machine.MegabytesOf(server.Pid, "status", "VmRSS");
        }

        return
        [
            Figure.Of("start to ready, cluster, database and sandbox self-test included", "s", starts) with { Target = 1.5 },
            Figure.Single("server idle, PSS", "MB", proportional) with { Target = 150 },
            Figure.Single("server idle, RSS", "MB", resident) with { Target = 160 },
        ];
    }
}
