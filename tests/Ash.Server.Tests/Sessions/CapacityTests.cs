using Ash.Client;
using Ash.Server.Configuration;
using Ash.Server.Runners;
using Ash.Server.Tests.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace Ash.Server.Tests.Sessions;

/// <summary>More sessions than the machine has places for sandboxes.</summary>
public sealed class CapacityTests
{
    private const int Limit = 60_000;

    /// <summary>Nobody else waits for exactly so long.</summary>
    private static readonly TimeSpan CapacityWait = TimeSpan.FromSeconds(29);

    [Fact(Timeout = Limit)]
    public async Task FullMachine_MakesRoom_AndEvictsWhatWasIdleForLongest()
    {
        await using var server = await StartAsync(places: 2);
        var first = await server.CreateSessionAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        var second = await server.CreateSessionAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("completed", await await server.BeginTurnAsync(first, "I am younger now"));

        var third = await server.CreateSessionAsync();

        Assert.Equal(("active", "paused", "active"), (await server.StatusOfAsync(first), await server.StatusOfAsync(second), await server.StatusOfAsync(third)));
        Assert.Contains("\"reason\":\"evicted\"", await server.ReadStreamAsync(second), StringComparison.Ordinal);
        Assert.Equal(2, server.Host.MostLive);
        Assert.Equal("completed", await await server.BeginTurnAsync(second, "wake up"));
        Assert.Equal(2, server.Host.MostLive);
    }

    [Fact(Timeout = Limit)]
    public async Task PausedSession_IsEvictedBeforeAnActiveOne()
    {
        await using var server = await StartAsync(places: 2);
        var active = await server.CreateSessionAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        var paused = await server.CreateSessionAsync();
        await server.Client.Sessions.PauseAsync(paused.Id);

        await server.CreateSessionAsync();

        Assert.Equal("active", await server.StatusOfAsync(active));
        Assert.DoesNotContain("evicted", await server.ReadStreamAsync(active), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task SessionAtWork_IsNotEvicted_AndWhoeverWaitsTooLongIsTurnedAway()
    {
        await using var server = await StartAsync(places: 1);
        var busy = await server.CreateSessionAsync();
        server.Host.Manner = CliManner.Waits;
        var turn = await server.BeginTurnAsync(busy, "work");

        server.Clock.ForgetWaits();
        var creating = server.CreateSessionAsync("key");
        await server.Clock.WaitBegunAsync(CapacityWait);
        server.Clock.Advance(CapacityWait);

        var refusal = await Assert.ThrowsAsync<AshApiException>(() => creating);
        Assert.Equal((503, "no_capacity"), ((int)refusal.StatusCode, refusal.Code));
        Assert.Contains("capacity reached", refusal.Message, StringComparison.Ordinal);
        Assert.Single(await server.Client.Sessions.ListAsync());
        Assert.Equal("active", await server.StatusOfAsync(busy));
        await server.Client.Sessions.InterruptAsync(busy.Id);
        Assert.Equal("interrupted", await turn);
        Assert.Equal("active", (await server.CreateSessionAsync("key")).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task AcceptedMessage_WaitsForAPlace_HoweverLongItTakes()
    {
        await using var server = await StartAsync(places: 1);
        var parked = await server.CreateSessionAsync();
        var busy = await server.CreateSessionAsync();
        Assert.Equal("paused", await server.StatusOfAsync(parked));
        server.Host.Manner = CliManner.Waits;
        var turn = await server.BeginTurnAsync(busy, "work");

        var waiting = await server.BeginTurnAsync(parked, "later");
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.False(waiting.IsCompleted);
        server.Host.Manner = CliManner.Answers;
        await server.Client.Sessions.InterruptAsync(busy.Id);

        Assert.Equal("interrupted", await turn);
        Assert.Equal("completed", await waiting);
        Assert.Equal(1, server.Host.MostLive);
    }

    [Theory(Timeout = Limit)]
    [InlineData("pause")]
    [InlineData("end")]
    [InlineData("interrupt")]
    public async Task SessionThatWaitsForAPlace_CanBeParkedOrEnded(string call)
    {
        await using var server = await StartAsync(places: 1);
        var parked = await server.CreateSessionAsync();
        var busy = await server.CreateSessionAsync();
        server.Host.Manner = CliManner.Waits;
        var turn = await server.BeginTurnAsync(busy, "work");
        var waiting = await server.BeginTurnAsync(parked, "later");

        switch (call)
        {
            case "pause":
                await Record.ExceptionAsync(() => server.Client.Sessions.PauseAsync(parked.Id));
                await server.Client.Sessions.EndAsync(parked.Id);
                break;
            case "end":
                await server.Client.Sessions.EndAsync(parked.Id);
                break;
            default:
                await server.Client.Sessions.InterruptAsync(parked.Id);
                break;
        }

        Assert.NotEqual("completed", await waiting);
        await server.Client.Sessions.InterruptAsync(busy.Id);
        Assert.Equal("interrupted", await turn);
        Assert.Equal(1, server.Get<SandboxPlaces>().Taken);
        Assert.Equal(0, server.Get<SandboxPlaces>().Waiting);
    }

    [Fact(Timeout = Limit)]
    public async Task ManySessions_ShareFewPlaces_AndEveryTurnCompletes()
    {
        await using var server = await StartAsync(places: 5);

        var turns = await Task.WhenAll(Enumerable.Range(0, 20).Select(async n =>
        {
            var session = await server.CreateSessionAsync();
            return await await server.BeginTurnAsync(session, $"turn {n}");
        }));

        Assert.All(turns, reason => Assert.Equal("completed", reason));
        Assert.InRange(server.Host.MostLive, 1, 5);
        Assert.InRange(server.Get<SandboxPlaces>().Taken, 1, 5);
    }

    [Fact(Timeout = Limit)]
    public async Task MachineWithoutMemory_GetsNoMoreSandboxes_UntilThereIsSome()
    {
        var memory = new ScriptedMemory();
        await using var server = await StartAsync(places: 10, memory);
        var busy = await server.CreateSessionAsync();
        server.Host.Manner = CliManner.Waits;
        var turn = await server.BeginTurnAsync(busy, "work");

        memory.Available = 100 * 1024 * 1024;
        var creating = server.CreateSessionAsync();
        await server.Clock.WaitBegunAsync(TimeSpan.FromSeconds(1));
        Assert.Single(server.Host.Live);
        memory.Available = long.MaxValue / 2;
        server.Clock.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("active", (await creating).Status);
        await server.Client.Sessions.InterruptAsync(busy.Id);
        Assert.Equal("interrupted", await turn);
    }

    [Fact(Timeout = Limit)]
    public async Task Figures_SayWhatThePoolDoes()
    {
        await using var server = await StartAsync(places: 1);
        await server.CreateSessionAsync();
        await server.CreateSessionAsync();

        var health = await server.Client.GetHealthAsync();
        var metrics = await server.Http.GetStringAsync("/metrics");

        Assert.Equal((1, 1, 1, 0), (health.Pool.MaxCapacity, health.Pool.Total, health.Pool.Waiting, health.Pool.Running));
        Assert.Contains("\nash_pool_max_capacity 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nash_pool_evictions_total 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("# TYPE ash_pool_sandboxes gauge\nash_pool_sandboxes{state=\"cold\"} 0\n", metrics, StringComparison.Ordinal);
    }

    private static Task<InMemoryServer> StartAsync(int places, ScriptedMemory? memory = null) => InMemoryServer.StartAsync(
        settings => settings with { MaxSandboxes = places, CapacityWait = CapacityWait, TurnTimeout = TimeSpan.FromDays(30) },
        services => services.AddSingleton<MachineMemory>(memory ?? new ScriptedMemory()));

    private sealed class ScriptedMemory() : MachineMemory(SettingsLoader.Load([], new Dictionary<string, string?>(), out _))
    {
        public long Available { get; set; } = long.MaxValue / 2;

        protected override long AvailableBytes() => Available;
    }
}
