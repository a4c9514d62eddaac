using System.Diagnostics;
using Ash.Benchmarks.Floors;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Events stored and relayed at saturation, from one stream and from twenty, and what one costs that comes alone.</summary>
internal sealed class EventRate : IScenario
{
    private const int Events = 20_000;
    private const int Streams = 20;

    /// <summary>So many floods until the runtime has compiled what is used often.</summary>
    private const int WarmUp = 8;

    public string Name => "event-rate";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        await using var server = await BenchServer.StartAsync();
        var sessions = await server.CreateManyAsync(Streams, atOnce: 5);
        for (var i = 0; i < WarmUp; i++)
        {
            await SendAsync(server, sessions[0], $"FLOOD:{Events}:delta NODELAY");
        }

        var floor = RawStore.MeasureRows(effort.Times(200_000));
        var single = effort.Times(5000);
        await SendAsync(server, sessions[0], $"TICK:{effort.Times(5000)}:1 NODELAY");
        var alone = await MeasureAsync(server, sessions.Take(1), $"TICK:{single}:1 NODELAY", single, rounds: 1);
        var one = await MeasureAsync(server, sessions.Take(1), $"FLOOD:{Events}:delta NODELAY", Events, effort.Times(5));
        var twenty = await MeasureAsync(server, sessions, $"FLOOD:{Events}:delta NODELAY", Events, rounds: 1);
        return
        [
            .. Describe("1 stream", one),
            .. Describe("20 streams", twenty),
            Figure.Single($"server CPU per stored event where they come singly, {alone.Rate:N0} a second", "µs", alone.Cpu) with
            {
                N = alone.Count, Floor = floor.Cpu, FloorIs = "insert", Target = 400,
            },
        ];

        IEnumerable<Figure> Describe(string streams, (double Cpu, double Rate, int Count) measured) =>
        [
            Figure.Single($"server CPU per stored event at saturation, {streams}", "µs", measured.Cpu) with
            {
                N = measured.Count, Floor = floor.Cpu, FloorIs = "insert", Target = 20,
            },
            Figure.Single($"events stored and relayed a second, {streams}", "/s", measured.Rate) with
            {
                N = measured.Count, Floor = floor.Rate, FloorIs = "rows inserted", IsMoreBetter = true,
            },
        ];
    }

    private static async Task<(double Cpu, double Rate, int Count)> MeasureAsync(
        BenchServer server, IEnumerable<Guid> sessions, string text, int events, int rounds)
    {
        var streams = sessions.ToList();
        var cpu = Machine.CpuTimeOf(server.Server.Pid);
        var begun = Stopwatch.GetTimestamp();
        for (var round = 0; round < rounds; round++)
        {
            await Task.WhenAll(streams.Select(session => SendAsync(server, session, text)));
        }

        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        var count = events * rounds * streams.Count;
        return ((Machine.CpuTimeOf(server.Server.Pid) - cpu).TotalMicroseconds / count, count / seconds, count);
    }

    /// <summary>Reads every event of the turn, and looks into none.</summary>
    private static async Task SendAsync(BenchServer server, Guid session, string text)
    {
        using var body = new StringContent($$"""{"content":"{{text}}","includePartialMessages":true}""", System.Text.Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/sessions/{session}/messages") { Content = body };
        using var answer = await server.Server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        answer.EnsureSuccessStatusCode();
        await answer.Content.CopyToAsync(Stream.Null);
    }
}
