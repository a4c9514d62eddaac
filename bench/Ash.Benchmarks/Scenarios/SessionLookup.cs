using System.Diagnostics;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Requests a second for the state of a session, over 32 connections.</summary>
internal sealed class SessionLookup : IScenario
{
    private const int Connections = 32;

    /// <summary>Until the runtime has compiled what is used often.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    public string Name => "lookup";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var time = TimeSpan.FromSeconds(effort.Times(6));
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        await server.SendAsync(session.Id, "NODELAY");
        Measure(server, "/health", WarmUp);
        Measure(server, $"/api/sessions/{session.Id}", WarmUp);
        var lookup = Measure(server, $"/api/sessions/{session.Id}", time);
        var empty = Measure(server, "/health", time);
        return
        [
            Figure.Single("GET session, requests a second, 32 connections, the client on the same cores", "/s", lookup.Rate) with
            {
                N = lookup.Count, Floor = empty.Rate, FloorIs = "/health", Target = 25_000, IsMoreBetter = true,
            },
        ];
    }

    private static (double Rate, int Count) Measure(BenchServer server, string path, TimeSpan time)
    {
        var count = 0;
        var begun = Stopwatch.GetTimestamp();
        var threads = Enumerable.Range(0, Connections).Select(_ => new Thread(() =>
        {
            using var client = server.Connect();
            var request = client.Make("GET", path);
            var mine = 0;
            while (Stopwatch.GetElapsedTime(begun) < time)
            {
                client.Send(request);
                mine++;
            }

            Interlocked.Add(ref count, mine);
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return (count / Stopwatch.GetElapsedTime(begun).TotalSeconds, count);
    }
}
