using Ash.Server.Telemetry;

namespace Ash.Server.Health;

/// <summary>The server's figures in Prometheus' text form (contract 13.1, and ours beside them). From memory: a scrape costs nothing.</summary>
internal static class MetricsEndpoints
{
    public static void MapMetrics(this IEndpointRouteBuilder routes) => routes
        .MapGet("/metrics", static (MetricPage page) => Results.Text(page.Write(), "text/plain; version=0.0.4; charset=utf-8"))
        .WithName("GetMetrics")
        .WithTags("health")
        .WithSummary("Figures for Prometheus")
        .Produces<string>(StatusCodes.Status200OK, "text/plain");
}
