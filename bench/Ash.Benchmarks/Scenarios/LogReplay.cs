namespace Ash.Benchmarks.Scenarios;

/// <summary>A log of ten thousand events replayed to one client, to the last byte.</summary>
internal sealed class LogReplay : IScenario
{
    public string Name => "replay";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        await server.SendAsync(session.Id, "FLOOD:10000:delta NODELAY");
        using var client = server.Connect();
        var replay = client.Make("GET", $"/api/sessions/{session.Id}/stream?until=idle");
        var times = BenchServer.Time(effort.Times(100), warmUp: 20, () => client.Send(replay));
        return [Figure.Of("10,000 events of 300 bytes replayed to one client, to the last byte", "ms", times) with { Target = 50 }];
    }
}
