using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Requests a second for the state of a session, over 32 connections.</summary>
internal sealed class SessionLookup : IScenario
{
    private const int Connections = 32;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(4);

    public string Name => "lookup";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        var http = server.Server.Http;
        await MeasureAsync(http, "/health", TimeSpan.FromSeconds(1));
        var lookup = await MeasureAsync(http, $"/api/sessions/{session.Id}", Time);
        var empty = await MeasureAsync(http, "/health", Time);
        return [Figure.Single("GET session, 32 connections, the client on the same cores", "/s", lookup) with { Floor = empty, Target = 25_000, IsMoreBetter = true }];
    }

    private static async Task<double> MeasureAsync(HttpClient http, string path, TimeSpan time)
    {
        var begun = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            var count = 0;
            while (Stopwatch.GetElapsedTime(begun) < time)
            {
                await http.GetByteArrayAsync(path);
                count++;
            }

            return count;
        }));
        return counts.Sum() / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
