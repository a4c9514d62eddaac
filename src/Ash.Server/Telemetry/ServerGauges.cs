using System.Diagnostics.Metrics;
using Ash.Server.Access;
using Ash.Server.Health;
using Ash.Server.Runners;
using Ash.Server.Sessions;
using Ash.Server.Storage;

namespace Ash.Server.Telemetry;

/// <summary>What is looked at when somebody asks for figures: how the server stands (contract 13.1), all of it in memory.</summary>
internal sealed class ServerGauges(
    ServerMetrics metrics, ServerHealth health, SandboxPlaces places, PoolCounters counters, FailedKeys failures, SessionRuntimes sessions,
    StoreWriter writer)
{
    /// <summary>Makes the instruments; they are read as long as the meter lives.</summary>
    public void Create()
    {
        Gauge("ash.up", "Whether the server is up.", () => new Measurement<long>(1, new KeyValuePair<string, object?>("coordinator", ServerHealth.CoordinatorId)));
        metrics.Meter.CreateObservableGauge("ash.uptime", () => health.Uptime, "s", "Time since the start.");
        Gauge("ash.active_sessions", "Sessions that are active.", () => health.ActiveSessions);
        Gauge("ash.active_sandboxes", "Live sandboxes, those that wait for a session included.", () => health.DescribePool().Total);
        metrics.Meter.CreateObservableGauge("ash.pool.sandboxes", MeasurePool, description: "Sandboxes by state.");
        Gauge("ash.pool.max_capacity", "Sandboxes that there may be at once.", () => places.Capacity);
        Gauge("ash.pool.waiting_for_place", "Starts that wait for a place on the machine.", () => places.Waiting);
        Counter("ash.pool.evictions", "Idle sandboxes that were ended to make room.", () => counters.Evicted);
        metrics.Meter.CreateObservableCounter("ash.resume", MeasureResumes, description: "Sessions that came to a sandbox, by where it came from.");
        metrics.Meter.CreateObservableCounter("ash.resume.cold", MeasureColdResumes, description: "Cold resumes, by where the files came from.");
        Counter("ash.failed_keys", "Requests with a wrong API key or internal secret.", () => failures.Total);
        Gauge("ash.turns.running", "Turns that run.", () => sessions.All.Count(static session => session.IsInTurn));
        Gauge("ash.turns.waiting", "Messages that wait for their turn, of all sessions.", () => sessions.All.Sum(static session => session.WaitingTurns));
        Gauge("ash.store.queue", "Writes that wait for the next commit.", () => writer.Waiting);
    }

    private IEnumerable<Measurement<long>> MeasurePool()
    {
        var pool = health.DescribePool();
        return
        [
            new(pool.Cold, State("cold")), new(pool.Warming, State("warming")), new(pool.Warm, State("warm")),
            new(pool.Waiting, State("waiting")), new(pool.Running, State("running")),
        ];

        static KeyValuePair<string, object?> State(string name) => new("state", name);
    }

    private IEnumerable<Measurement<long>> MeasureResumes()
    {
        return [new(counters.ResumedWarm, Path("warm")), new(counters.ResumedCold, Path("cold")), new(counters.StartedWarm, Path("prewarm"))];

        static KeyValuePair<string, object?> Path(string name) => new("path", name);
    }

    private IEnumerable<Measurement<long>> MeasureColdResumes()
    {
        return [new(counters.ResumedCold, Source("local")), new(0, Source("cloud")), new(0, Source("fresh"))];

        static KeyValuePair<string, object?> Source(string name) => new("source", name);
    }

    private void Gauge(string name, string description, Func<Measurement<long>> measure) =>
        metrics.Meter.CreateObservableGauge(name, measure, description: description);

    private void Gauge(string name, string description, Func<long> measure) =>
        metrics.Meter.CreateObservableGauge(name, measure, description: description);

    private void Counter(string name, string description, Func<long> measure) =>
        metrics.Meter.CreateObservableCounter(name, measure, description: description);
}
