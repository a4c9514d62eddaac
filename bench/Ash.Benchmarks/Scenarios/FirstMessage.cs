using Ash.Benchmarks.Floors;
using Ash.Simulator;

namespace Ash.Benchmarks.Scenarios;

/// <summary>From a message to the model's request, with the real CLI: fresh, cold, and in a conversation; beside each the bare CLI.</summary>
internal sealed class FirstMessage : IScenario
{
    /// <summary>What a process does after its start, or after a turn, is not the next message's.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1.5);

    private readonly List<double> _bareCold = [];
    private readonly List<double> _bareWarm = [];
    private readonly List<double> _bareSecond = [];
    private readonly List<double> _claimed = [];
    private readonly List<double> _claimedAtOnce = [];
    private readonly List<double> _createdCold = [];
    private readonly List<double> _nothing = [];
    private readonly List<double> _second = [];

    public string Name => "first-message";

    public async Task<IReadOnlyList<Figure>> RunAsync(Effort effort)
    {
        var rounds = effort.Times(20, least: 2);
        await using var bareModel = await SimulatorHost.StartAsync(
            new SimulatorOptions(), Path.Combine(Path.GetTempPath(), $"ash-bench-{Guid.NewGuid():N}.sock"), CancellationToken.None);
        await using (var server = await BenchServer.StartWithCliAsync(("ASH_PAUSE_GRACE", "0")))
        {
            for (var i = -1; i < rounds; i++)
            {
                await MeasureColdAsync(server, bareModel, counts: i >= 0);
            }
        }

        await using (var server = await BenchServer.StartWithCliAsync(("ASH_WARM_SANDBOXES", "1")))
        {
            // The first says which agent is in use.
            await EndAsync(server, (await server.CreateAsync()).Id);
            for (var i = -1; i < rounds; i++)
            {
                await MeasureWarmAsync(server, isAtOnce: false, counts: i >= 0);
                await MeasureWarmAsync(server, isAtOnce: true, counts: i >= 0);
            }
        }

        var (cold, warm, second) = (Figure.Median(_bareCold), Figure.Median(_bareWarm), Figure.Median(_bareSecond));
        return
        [
            Figure.Of("first message → model request, claimed warm", "ms", _claimed) with
            {
                Floor = warm, FloorIs = "CLI started and initialised, line → request", TargetOverFloor = 15,
            },
            Figure.Of("… sent the moment the create has answered", "ms", _claimedAtOnce) with { Floor = warm },
            Figure.Of("… cold, nothing prepared: the sandbox starts, too", "ms", _nothing) with
            {
                Floor = cold, FloorIs = "bare CLI, spawn → request", TargetOverFloor = 40,
            },
            Figure.Of("… cold, sent the moment the create has answered", "ms", _createdCold) with { Floor = cold, TargetOverFloor = 40 },
            Figure.Of("second message → model request", "ms", _second) with
            {
                Floor = second, FloorIs = "bare CLI, second line → request", TargetOverFloor = 5,
            },
        ];
    }

    private static async Task EndAsync(BenchServer server, Guid session) => await server.Server.Client.Sessions.EndAsync(session, purge: true);

    private async Task MeasureColdAsync(BenchServer server, SimulatorHost bareModel, bool counts)
    {
        var model = server.Server.Model;
        var created = await server.CreateAsync();
        var createdCold = await ModelArrival.MeasureAsync(model, text => server.SendAsync(created.Id, text));
        await Task.Delay(Quiet);
        var second = await ModelArrival.MeasureAsync(model, text => server.SendAsync(created.Id, text));
        var like = await ProductCli.ReadAsync(server.Server);
        await EndAsync(server, created.Id);

        var paused = await server.CreateAsync();
        await server.Server.Client.Sessions.PauseAsync(paused.Id);
        await server.WaitUntilAsync(health => health.ActiveSandboxes == 0);
        await Task.Delay(Quiet);
        var nothing = await ModelArrival.MeasureAsync(model, text => server.SendAsync(paused.Id, text));
        await EndAsync(server, paused.Id);

        await Task.Delay(Quiet);
        var (bareCold, bareWarm, bareSecond) = await MeasureBareAsync(like, bareModel);
        if (counts)
        {
            _createdCold.Add(createdCold);
            _second.Add(second);
            _nothing.Add(nothing);
            _bareCold.Add(bareCold);
            _bareWarm.Add(bareWarm);
            _bareSecond.Add(bareSecond);
        }
    }

    private static async Task<(double Cold, double Warm, double Second)> MeasureBareAsync(ProductCli like, SimulatorHost model)
    {
        BareCli? spawned = null;
        var cold = await ModelArrival.MeasureAsync(model, text =>
        {
            spawned = BareCli.Start(like, model);
            spawned.Initialize();
            spawned.Send(text);
            return Task.CompletedTask;
        });
        await using (spawned)
        {
            await spawned!.WaitForResultAsync(1); // It has called the model.
        }

        await using var waiting = BareCli.Start(like, model);
        await Task.Delay(Quiet);
        waiting.Initialize();
        await waiting.WaitUntilInitializedAsync();
        await Task.Delay(Quiet);
        var warm = await MeasureLineAsync(waiting, model);
        await waiting.WaitForResultAsync(1);
        await Task.Delay(Quiet);
        return (cold, warm, await MeasureLineAsync(waiting, model));
    }

    private static Task<double> MeasureLineAsync(BareCli cli, SimulatorHost model) => ModelArrival.MeasureAsync(model, text =>
    {
        cli.Send(text);
        return Task.CompletedTask;
    });

    private async Task MeasureWarmAsync(BenchServer server, bool isAtOnce, bool counts)
    {
        await server.WaitUntilAsync(health => health.Pool.Warm == 1);
        await Task.Delay(Quiet);
        var claimed = (await server.Server.Client.GetHealthAsync()).Pool.PreWarmHits;
        var session = await server.CreateAsync();
        if (!isAtOnce)
        {
            await server.WaitUntilAsync(health => health.Pool.Warm == 1);
            await Task.Delay(Quiet);
        }

        var time = await ModelArrival.MeasureAsync(server.Server.Model, text => server.SendAsync(session.Id, text));
        if ((await server.Server.Client.GetHealthAsync()).Pool.PreWarmHits != claimed + 1)
        {
            throw new InvalidOperationException("The session was not given the sandbox that waited.");
        }

        await EndAsync(server, session.Id);
        if (counts)
        {
            (isAtOnce ? _claimedAtOnce : _claimed).Add(time);
        }
    }
}
