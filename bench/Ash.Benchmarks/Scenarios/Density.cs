using System.Diagnostics;
using Ash.Protocol.Launch;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Memory of sessions that have had a turn and wait, by whom it is of; and what is left of those that nobody uses.</summary>
internal sealed class Density : IScenario
{
    private const int CliMb = 300;

    /// <summary>Until what a turn has left behind is collected.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan EvictionPatience = TimeSpan.FromMinutes(1);

    public string Name => "density";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var figures = new List<Figure>();
        await using (var server = await BenchServer.StartWithCliAsync(("ASH_IDLE_TIMEOUT_MS", "0")))
        {
            var most = (int)Math.Min(effort.Times(50, least: 2), Machine.FreeMemoryMb / CliMb);
            figures.AddRange(await MeasureAsync(server, [.. new[] { 1, 10, most }.Where(count => count <= most).Distinct()], "the real CLI", target: 8));
        }

        await using (var server = await BenchServer.StartAsync(("ASH_IDLE_TIMEOUT_MS", "0")))
        {
            figures.AddRange(await MeasureAsync(server, [effort.Times(400, least: 10)], "the stand-in", target: null));
        }

        return [.. figures, .. await MeasureEvictionAsync(effort.Times(50, least: 5))];
    }

    private static async Task<List<Figure>> MeasureAsync(BenchServer server, int[] counts, string cli, double? target)
    {
        var figures = new List<Figure>();

        // What the server needs for the first session it needs for none of the others.
        var first = await server.CreateAsync();
        await server.SendAsync(first.Id, "hello");
        await server.Server.Client.Sessions.EndAsync(first.Id, purge: true);
        await Task.Delay(Settling);
        var idle = Machine.MegabytesOf(server.Server.Pid, "smaps_rollup", "Pss");
        var sessions = 0;
        foreach (var count in counts)
        {
            foreach (var session in await server.CreateManyAsync(count - sessions, atOnce: 2))
            {
                await server.SendAsync(session, "hello");
            }

            sessions = count;
            await Task.Delay(Settling);
            var memory = Memory.Of(server, idle, count);
            var isLast = count == counts[^1];
            figures.Add(Figure.Single($"memory per session beyond the CLI (PSS), {count} of {cli}", "MB", memory.BeyondCli) with
            {
                N = count, Target = isLast ? target : null,
            });
            figures.Add(Figure.Single("… bridge", "MB", memory.Bridge) with { N = count });
            figures.Add(Figure.Single("… bwrap, outside and inside", "MB", memory.Bubblewrap) with { N = count });
            figures.Add(Figure.Single("… server", "MB", memory.Server) with { N = count });
            figures.Add(Figure.Single("… the CLI itself, beside it", "MB", memory.Cli) with { N = count });
        }

        return figures;
    }

    private static async Task<Figure[]> MeasureEvictionAsync(int count)
    {
        await using var server = await BenchServer.StartAsync(("ASH_IDLE_TIMEOUT_MS", "2000"), ("ASH_PAUSE_GRACE", "1"));
        foreach (var session in await server.CreateManyAsync(count, atOnce: 5))
        {
            await server.SendAsync(session, "NODELAY");
        }

        var begun = Stopwatch.GetTimestamp();
        while (server.Server.Processes().Count > 0 && Stopwatch.GetElapsedTime(begun) < EvictionPatience)
        {
            await Task.Delay(100);
        }

        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return
        [
            Figure.Single($"processes of sandboxes that {count} sessions have left, idle after 2 s", "", server.Server.Processes().Count) with
            {
                N = count, Target = 0,
            },
            Figure.Single("… gone after", "s", seconds) with { N = count },
        ];
    }

    /// <summary>MB of each session.</summary>
    private sealed record Memory(double Bridge, double Bubblewrap, double Server, double Cli)
    {
        public double BeyondCli => Bridge + Bubblewrap + Server;

        public static Memory Of(BenchServer server, double idleServer, int sessions)
        {
            double bridge = 0, bubblewrap = 0, cli = 0;
            foreach (var process in server.Server.Processes())
            {
                var memory = Machine.MegabytesOf(process.Pid, "smaps_rollup", "Pss");
                var program = File.ReadAllText($"/proc/{process.Pid}/cmdline").Split('\0')[0];
                if (program == SandboxPaths.Bridge)
                {
                    bridge += memory;
                }
                else if (Path.GetFileName(program) == "bwrap")
                {
                    bubblewrap += memory;
                }
                else
                {
                    cli += memory;
                }
            }

            var own = Machine.MegabytesOf(server.Server.Pid, "smaps_rollup", "Pss") - idleServer;
            return new Memory(bridge / sessions, bubblewrap / sessions, own / sessions, cli / sessions);
        }
    }
}
