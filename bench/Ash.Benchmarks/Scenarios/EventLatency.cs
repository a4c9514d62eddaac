using System.Globalization;
using Ash.Benchmarks.Floors;
using Ash.Client.Events;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Ash's share of an event: from the stand-in's write to the client's read, the commit included.</summary>
internal sealed class EventLatency : IScenario
{
    public string Name => "event-latency";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var count = effort.Times(2000);
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        await server.SendAsync(session.Id, "FLOOD:2000:delta NODELAY");
        await MeasureAsync(server, session.Id, effort.Times(500));
        var times = await MeasureAsync(server, session.Id, count);
        using var store = new RawStore(isSynced: false);
        var commits = BenchServer.Time(effort.Times(5000), warmUp: 500, store.CommitOne);
        return
        [
            Figure.Of("Ash's share per event, stand-in's stdout to the client, commit included", "ms", times) with
            {
                Floor = Figure.Median(commits), FloorIs = "unsynced commit", Target = 1, TargetP99 = 5,
            },
        ];
    }

    private static async Task<List<double>> MeasureAsync(BenchServer server, Guid session, int count)
    {
        var times = new List<double>(count);
        await foreach (var e in server.Server.Client.Sessions.SendMessageAsync(session, $"TICK:{count}:2 NODELAY", includePartialMessages: true))
        {
            if (e.Body is TextDelta { Delta: var text })
            {
                times.Add((Machine.Nanoseconds() - long.Parse(text.AsSpan(0, text.IndexOf(' ')), CultureInfo.InvariantCulture)) / 1e6);
            }
        }

        return times;
    }
}
