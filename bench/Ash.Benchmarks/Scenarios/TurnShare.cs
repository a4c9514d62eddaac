namespace Ash.Benchmarks.Scenarios;

/// <summary>Ash's share of a turn: from the message to the end of the stream, with an agent that answers at once.</summary>
internal sealed class TurnShare : IScenario
{
    public string Name => "turn";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        var turns = await BenchServer.TimeAsync(500, warmUp: 100, _ => server.SendAsync(session.Id, "NODELAY"));
        return [Figure.Of("Ash's share of a turn, client and stand-in included", "ms", turns) with { Target = 1.5 }];
    }
}
