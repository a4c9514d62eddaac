using System.Globalization;
using System.Text.RegularExpressions;
using Ash.Benchmarks.Floors;

namespace Ash.Benchmarks.Scenarios;

/// <summary>Ash's share of a turn: from the message to the line at the agent, and from the agent's result to the end of the stream.</summary>
internal sealed partial class TurnShare : IScenario
{
    public string Name => "turn";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        await using var server = await BenchServer.StartAsync();
        var session = await server.CreateAsync();
        using var client = server.Connect();

        // Until the runtime has compiled what is used often.
        Measure(client, session.Id, effort.Times(1000));
        var shares = Measure(client, session.Id, effort.Times(2000));
        using var store = new RawStore(isSynced: true);
        var commits = BenchServer.Time(effort.Times(1000), warmUp: 100, () =>
        {
            store.CommitOne();
            store.CommitOne();
        });
        using var echo = new LoopbackEcho();
        var echoes = BenchServer.Time(effort.Times(2000), warmUp: 500, echo.Run);
        return
        [
            Figure.Of("Ash's share of a turn, two synced commits included", "ms", shares) with
            {
                Floor = Figure.Median(commits), FloorIs = "two synced commits", Target = 1.5, TargetP95 = 4,
            },
            Figure.Of("two synced commits of a row, raw", "ms", commits),
            Figure.Of("loopback echo, raw", "ms", echoes),
        ];
    }

    /// <summary>So many turns that are answered at once, one after another.</summary>
    internal static List<double> Measure(RawClient client, Guid session, int count)
    {
        var message = client.Make("POST", $"/api/sessions/{session}/messages", """{"content":"NODELAY"}""");
        var shares = new List<double>(count);
        for (var i = 0; i < count; i++)
        {
            var begun = Machine.Nanoseconds();
            var answer = client.Send(message);
            var ended = Machine.Nanoseconds();
            var stamps = Stamps().Match(System.Text.Encoding.UTF8.GetString(answer));
            shares.Add((long.Parse(stamps.Groups[1].ValueSpan, CultureInfo.InvariantCulture) - begun
                + ended - long.Parse(stamps.Groups[2].ValueSpan, CultureInfo.InvariantCulture)) / 1e6);
        }

        return shares;
    }

    [GeneratedRegex("took ([0-9]+) answered ([0-9]+)")]
    private static partial Regex Stamps();
}
