using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Ash.StandIn;

namespace Ash.Benchmarks.Scenarios;

/// <summary>A small call of the model from inside a sandbox through the broker, and the same call straight to the model.</summary>
internal sealed partial class BrokerShare : IScenario
{
    /// <summary>Fewer than a sandbox may make without a pause.</summary>
    private const int CallsPerTurn = 90;

    /// <summary>So many sandboxes' calls do not count.</summary>
    private const int WarmUp = 8;

    /// <summary>The model is in this process, and what the runtime has not yet compiled to the end takes four times as long.</summary>
    private const int ModelWarmUp = 60;

    public string Name => "broker";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        return
        [
            await MeasureAsync(isStreamed: false, "the whole answer at once", effort),
            await MeasureAsync(isStreamed: true, "a streamed answer, to its last byte", effort),
        ];
    }

    private static async Task<Figure> MeasureAsync(bool isStreamed, string what, Effort effort)
    {
        await using var server = await BenchServer.StartAsync();
        var brokered = new List<double>();
        var direct = new List<double>();
        for (var i = 0; i < ModelWarmUp; i++)
        {
            CallDirectly(server, isStreamed: i % 2 == 0);
        }

        for (var i = -WarmUp; i < effort.Times(12); i++)
        {
            // Each sandbox has an allowance of its own.
            var session = await server.CreateAsync();
            var throughBroker = await CallInsideAsync(server, session.Id, isStreamed);
            var straight = CallDirectly(server, isStreamed);
            if (i >= 0)
            {
                brokered.AddRange(throughBroker);
                direct.AddRange(straight);
            }
        }

        return Figure.Of($"a model call through the broker, {what}", "ms", brokered) with
        {
            Floor = Figure.Median(direct), FloorIs = "direct", TargetOverFloor = 0.3,
        };
    }

    private static async Task<IEnumerable<double>> CallInsideAsync(BenchServer server, Guid session, bool isStreamed)
    {
        var turn = await server.SendAsync(session, $"CALL:{CallsPerTurn}:{(isStreamed ? "stream" : "whole")} NODELAY");
        var times = Calls().Match(turn.Result ?? "");
        return times.Success
            ? times.Groups[1].Value.Split(',').Select(time => long.Parse(time, CultureInfo.InvariantCulture) / 1e6)
            : throw new InvalidOperationException($"The stand-in did not say how long its calls took: {turn.Reason} {turn.Result}");
    }

    private static List<double> CallDirectly(BenchServer server, bool isStreamed)
    {
        var model = server.Server.Model.BaseAddress;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, model.Port);
        return [.. ModelCalls.Run(socket, model.Authority, server.Server.ModelKey, CallsPerTurn, isStreamed).Select(time => time / 1e6)];
    }

    [GeneratedRegex("calls ([0-9,]+)")]
    private static partial Regex Calls();
}
