using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>What gets slower as the store fills: nothing may. Each row's floor is the same on the smallest store.</summary>
internal sealed class Growth : IScenario
{
    /// <summary>More than noise.</summary>
    private const double Tolerance = 1.5;

    public string Name => "growth";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        return
        [
            .. await MeasureSessionsAsync([10, 1000, effort.Times(100_000, least: 2000)], effort),
            .. await MeasureEventsAsync(effort.Times(1_000_000, least: 10_000), effort),
        ];
    }

    private static async Task<List<Figure>> MeasureSessionsAsync(int[] sizes, Effort effort)
    {
        await using var server = await BenchServer.StartAsync();
        var like = (await server.CreateAsync()).Id;
        await server.SendAsync(like, "NODELAY");
        var floors = new List<double>();
        var figures = new List<Figure>();
        var filled = 1;
        foreach (var size in sizes)
        {
            await server.Server.StopAsync();
            Guid stored;
            using (var store = new FilledStore(server.Server.DataDirectory))
            {
                stored = store.AddSessions(like, size - filled);
            }

            filled = size;
            var begun = Stopwatch.GetTimestamp();
            await server.StartAgainAsync();
            var start = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            figures.AddRange(await MeasureAsync(server, stored, start, size, effort, floors));
        }

        return figures;
    }

    private static async Task<List<Figure>> MeasureAsync(
        BenchServer server, Guid stored, double start, int size, Effort effort, List<double> floors)
    {
        using var client = server.Connect();
        var session = (await server.CreateAsync()).Id;
        TurnShare.Measure(client, session, effort.Times(300, least: 100));
        var measured = new (string What, IReadOnlyList<double> Times)[]
        {
            ("Ash's share of a turn", TurnShare.Measure(client, session, effort.Times(500))),
            ("session create, cold", await BenchServer.TimeAsync(effort.Times(20, least: 3), warmUp: 2, server.CreateAsync)),
            ("/health", Time("/health", 300)),
            ("GET a session that sleeps", Time($"/api/sessions/{stored}", 300)),
            ("GET /api/sessions?limit=50", Time("/api/sessions?limit=50", 20)),
            ("start to ready", [start]),
        };
        var isSmallest = floors.Count < measured.Length;
        if (isSmallest)
        {
            floors.AddRange(measured.Select(row => Figure.Median(row.Times)));
        }

        return
        [
            .. measured.Select((row, index) => Figure.Of($"{row.What}, {size:N0} sessions stored", "ms", row.Times) with
            {
                Floor = isSmallest ? null : floors[index],
                FloorIs = isSmallest ? null : "smallest store",
                Target = isSmallest ? null : floors[index] * Tolerance,
            }),
        ];

        double[] Time(string path, int count)
        {
            var request = client.Make("GET", path);
            return BenchServer.Time(effort.Times(count, least: 3), warmUp: effort.Times(count / 5), () => client.Send(request));
        }
    }

    private static async Task<List<Figure>> MeasureEventsAsync(int events, Effort effort)
    {
        await using var server = await BenchServer.StartAsync();
        var session = (await server.CreateAsync()).Id;
        await server.SendAsync(session, "FLOOD:200:delta NODELAY");
        var (replay, turn) = await MeasureLogAsync(server, session, more: 0, effort);
        var (lateReplay, lateTurn) = await MeasureLogAsync(server, session, events, effort);
        return
        [
            Describe("Ash's share of a turn at the beginning of a log", turn, null),
            Describe($"Ash's share of a turn after {events:N0} events", lateTurn, turn),
            Describe("the last 100 events of a sleeping session replayed, at the beginning of a log", replay, null),
            Describe($"the last 100 events of a sleeping session replayed, after {events:N0}", lateReplay, replay),
        ];

        static Figure Describe(string what, IReadOnlyList<double> times, IReadOnlyList<double>? early) => Figure.Of(what, "ms", times) with
        {
            Floor = early is null ? null : Figure.Median(early),
            FloorIs = early is null ? null : "at the beginning",
            Target = early is null ? null : Figure.Median(early) * Tolerance,
        };
    }

    private static async Task<(double[] Replay, List<double> Turn)> MeasureLogAsync(BenchServer server, Guid session, int more, Effort effort)
    {
        await server.Server.StopAsync();
        long newest;
        using (var store = new FilledStore(server.Server.DataDirectory))
        {
            newest = store.AddEvents(session, more);
        }

        await server.StartAgainAsync();
        using var client = server.Connect();
        var request = client.Make("GET", $"/api/sessions/{session}/stream?until=idle&after={newest - 100}");
        var replay = BenchServer.Time(effort.Times(200, least: 3), warmUp: effort.Times(50), () => client.Send(request));
        TurnShare.Measure(client, session, effort.Times(300, least: 100));
        return (replay, TurnShare.Measure(client, session, effort.Times(500)));
    }
}
