using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Events stored and relayed at saturation, from one stream and from twenty.</summary>
internal sealed class EventRate : IScenario
{
    private const int Events = 20_000;

    public string Name => "event-rate";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        var sessions = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.CreateAsync()));
        await server.SendAsync(sessions[0].Id, $"FLOOD:{Events}:delta NODELAY");
        return [.. await MeasureAsync(server, sessions.Take(1), 5), .. await MeasureAsync(server, sessions, 1)];

        static async Task<Figure[]> MeasureAsync(BenchServer server, IEnumerable<Protocol.Api.SessionInfo> sessions, int rounds)
        {
            var streams = sessions.ToList();
            var cpu = Machine.CpuTimeOf(server.Server.Pid);
            var begun = Stopwatch.GetTimestamp();
            for (var round = 0; round < rounds; round++)
            {
                await Task.WhenAll(streams.Select(session => server.SendAsync(session.Id, $"FLOOD:{Events}:delta NODELAY")));
            }

            var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            var count = Events * rounds * streams.Count;
            var each = (Machine.CpuTimeOf(server.Server.Pid) - cpu).TotalMicroseconds / count;
            return
            [
                Figure.Single($"server CPU per stored event at saturation, {streams.Count} stream(s)", "µs", each) with { N = count, Target = 20 },
                Figure.Single($"events stored and relayed a second, {streams.Count} stream(s)", "/s", count / seconds) with { N = count },
            ];
        }
    }
}
