using System.Globalization;
using System.Text;
using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Runners;

namespace Ash.Server.Health;

/// <summary>The server's figures in Prometheus' text form (contract 13.1, and ours beside them). From memory: a scrape costs nothing.</summary>
internal static class MetricsEndpoints
{
    public static void MapMetrics(this IEndpointRouteBuilder routes) => routes
        .MapGet("/metrics", static (ServerHealth health, SandboxPlaces places, PoolCounters counters, FailedKeys failures) =>
            Results.Text(Write(health.Describe(), places, counters, failures), "text/plain; version=0.0.4; charset=utf-8"))
        .WithName("GetMetrics")
        .WithTags("health")
        .WithSummary("Figures for Prometheus")
        .Produces<string>(StatusCodes.Status200OK, "text/plain");

    private static string Write(HealthInfo health, SandboxPlaces places, PoolCounters counters, FailedKeys failures)
    {
        var text = new StringBuilder();
        Add(text, "ash_up", "gauge", "Whether the server is up.", ($"{{coordinator=\"{health.CoordinatorId}\"}}", 1));
        Add(text, "ash_uptime_seconds", "gauge", "Seconds since the start.", ("", health.Uptime));
        Add(text, "ash_active_sessions", "gauge", "Sessions that are active.", ("", health.ActiveSessions));
        Add(text, "ash_active_sandboxes", "gauge", "Live sandboxes.", ("", health.ActiveSandboxes));
        Add(
            text, "ash_pool_sandboxes", "gauge", "Sandboxes by state.",
            ("{state=\"cold\"}", health.Pool.Cold),
            ("{state=\"warming\"}", health.Pool.Warming),
            ("{state=\"warm\"}", health.Pool.Warm),
            ("{state=\"waiting\"}", health.Pool.Waiting),
            ("{state=\"running\"}", health.Pool.Running));
        Add(text, "ash_pool_max_capacity", "gauge", "Sandboxes that there may be at once.", ("", health.Pool.MaxCapacity));
        Add(text, "ash_pool_waiting_for_place", "gauge", "Starts that wait for a place on the machine.", ("", places.Waiting));
        Add(text, "ash_pool_evictions_total", "counter", "Idle sandboxes that were ended to make room.", ("", counters.Evicted));
        Add(
            text, "ash_resume_total", "counter", "Sessions that came to a sandbox, by where it came from.",
            ("{path=\"warm\"}", health.Pool.ResumeWarmHits),
            ("{path=\"cold\"}", health.Pool.ResumeColdHits),
            ("{path=\"prewarm\"}", health.Pool.PreWarmHits));
        Add(
            text, "ash_resume_cold_total", "counter", "Cold resumes, by where the files came from.",
            ("{source=\"local\"}", counters.ResumedCold),
            ("{source=\"cloud\"}", 0),
            ("{source=\"fresh\"}", 0));
        Add(text, "ash_failed_keys_total", "counter", "Requests with a wrong API key or internal secret.", ("", failures.Total));
        return text.ToString();
    }

    private static void Add(StringBuilder text, string name, string type, string help, params (string Labels, double Value)[] values)
    {
        text.Append(text.Length > 0 ? "\n" : "");
        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
        foreach (var (labels, value) in values)
        {
            text.Append(CultureInfo.InvariantCulture, $"{name}{labels} {value}\n");
        }
    }
}
