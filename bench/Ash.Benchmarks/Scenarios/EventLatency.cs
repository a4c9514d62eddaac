using System.Globalization;
using Ash.Client.Events;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Ash's share of an event: from the stand-in's write to the client's read, the commit included.</summary>
internal sealed class EventLatency : IScenario
{
    private const int Events = 2000;

    public string Name => "event-latency";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        await server.SendAsync(session.Id, "FLOOD:2000:delta NODELAY");
        var times = new List<double>(Events);
        await foreach (var e in server.Server.Client.Sessions.SendMessageAsync(session.Id, $"TICK:{Events}:2 NODELAY", includePartialMessages: true))
        {
            if (e.Body is TextDelta { Delta: var text })
            {
                times.Add((Machine.Nanoseconds() - long.Parse(text.AsSpan(0, text.IndexOf(' ')), CultureInfo.InvariantCulture)) / 1e6);
            }
        }

        return [Figure.Of("Ash's share per event, stand-in's stdout to the client, commit included", "ms", times) with { Target = 1 }];
    }
}
