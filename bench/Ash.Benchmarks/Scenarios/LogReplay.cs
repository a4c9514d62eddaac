namespace Ash.Benchmarks.Scenarios;

/// <summary>A log of ten thousand events replayed to one client, to the last byte.</summary>
internal sealed class LogReplay : IScenario
{
    public string Name => "replay";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        await server.SendAsync(session.Id, "FLOOD:10000:delta NODELAY");
        var times = await BenchServer.TimeAsync(30, warmUp: 5, async _ =>
        {
            await using var stream = await server.Server.Http.GetStreamAsync($"/api/sessions/{session.Id}/stream?until=idle&include=partial");
            await stream.CopyToAsync(Stream.Null);
        });
        return [Figure.Of("10,000 events of 300 bytes replayed to one client", "ms", times) with { Target = 50 }];
    }
}
