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
        var (starts, tested) = (new List<double>(), new List<double>());
        var proportional = new List<double>();
        var resident = new List<double>();
        await using var server = await Testing.AshServer.StartAsync();
        for (var i = 0; i < effort.Times(5, least: 2); i++)
        {
            File.Delete(Path.Combine(server.DataDirectory, "self-test.json"));
            tested.Add(await TimeStartAsync(server));
            starts.Add(await TimeStartAsync(server));
            await Task.Delay(Settling);
            proportional.Add(Machine.MegabytesOf(server.Pid, "smaps_rollup", "Pss"));
            resident.Add(Machine.MegabytesOf(server.Pid, "status", "VmRSS"));
        }

        return
        [
            Figure.Of("start to ready, cluster and database included", "s", starts) with { Target = 1.5 },
            Figure.Of("… the first since the machine was started: checksum of the CLI and self-test of the sandbox included", "s", tested),
            Figure.Of("server idle, PSS", "MB", proportional) with { Target = 150 },
            Figure.Of("server idle, RSS", "MB", resident) with { Target = 160 },
        ];
    }

    private static async Task<double> TimeStartAsync(Testing.AshServer server)
    {
        await server.StopAsync();
        var begun = Stopwatch.GetTimestamp();
        await server.StartAgainAsync();
        await server.Client.GetReadinessAsync();
        return Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
