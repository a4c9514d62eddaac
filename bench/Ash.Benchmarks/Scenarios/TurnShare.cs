using System.Globalization;
using System.Text.RegularExpressions;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Ash's share of a turn: from the message to the line at the agent, and from the agent's result to the end of the stream.</summary>
internal sealed partial class TurnShare : IScenario
{
    private const int Turns = 2000;

    /// <summary>Until the runtime has compiled what is used often.</summary>
    private const int WarmUp = 1000;

    public string Name => "turn";

    public async Task<IReadOnlyList<Figure>> RunAsync()
    {
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        using var client = new RawClient(server.Server.Url, server.Server.ApiKey);
        var shares = new List<double>(Turns);
        for (var i = -WarmUp; i < Turns; i++)
        {
            var begun = Machine.Nanoseconds();
            var answer = client.Post($"/api/sessions/{session.Id}/messages", """{"content":"NODELAY"}""");
            var ended = Machine.Nanoseconds();
            if (i >= 0)
            {
                var stamps = Stamps().Match(answer);
                shares.Add((long.Parse(stamps.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - begun
                    + ended - long.Parse(stamps.Groups[2].ValueSpan, CultureInfo.InvariantCulture)) / 1e6);
            }
        }

        return [Figure.Of("Ash's share of a turn, two synced commits included", "ms", shares) with { Target = 1.5 }];
    }

    [GeneratedRegex("took ([0-9]+) answered ([0-9]+)")]
    private static partial Regex Stamps();
}
