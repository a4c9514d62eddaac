using Ash.Protocol.Api;

namespace Ash.Server.Health;

/// <summary>Whether the server is there, and whether it can serve in full. Open to all, and never limited.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", static (ServerHealth health) => Results.Json(health.Describe(), ApiJson.Default.HealthInfo))
            .WithName("GetHealth")
            .WithTags("health")
            .WithSummary("How the server is")
            .Produces<HealthInfo>();
        routes.MapGet("/health/ready", static async (ServerHealth health, CancellationToken cancellationToken) =>
            {
                var readiness = await health.CheckAsync(cancellationToken);
                return Results.Json(
                    readiness,
                    ApiJson.Default.ReadinessInfo,
                    statusCode: readiness.Ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
            })
            .WithName("GetReadiness")
            .WithTags("health")
            .WithSummary("Whether requests can be served in full, and what is missing")
            .Produces<ReadinessInfo>()
            .Produces<ReadinessInfo>(StatusCodes.Status503ServiceUnavailable);
    }
}
