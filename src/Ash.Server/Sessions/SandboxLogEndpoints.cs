using System.Text.Json;
using System.Text.Json.Serialization;
using Ash.Protocol.Api;
using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>The HTTP face of the log of a session's sandbox.</summary>
internal static class SandboxLogEndpoints
{
    public static void MapSandboxLog(this IEndpointRouteBuilder routes) => routes.MapGet("/api/sessions/{id}/logs", ListAsync)
        .WithTags("sessions")
        .WithName("ListLogs")
        .WithSummary("List what the session's processes wrote to their standard error, and what became of them")
        .WithParameter("after", "Only lines with a greater index; -1, all that are kept, where absent.")
        .Produces<SessionLogListEnvelope>()
        .ProducesApiErrors(400, 401, 404);

    private static async Task<IResult> ListAsync(
        HttpContext context,
        string id,
        SessionDirectory sessions,
        SandboxLog log,
        CancellationToken cancellationToken,
        string? after = null)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        var index = -1L;
        if (((after is "-1" ? null : QueryNumber.Read(after, "after", 0, null, ref index)) ?? found.Problem) is { } problem)
        {
            return problem.ToResult(context);
        }

        var lines = log.ReadAsync(found.Session!.Id, index, cancellationToken);
        return Results.Json(new LogListing(lines, "sandbox"), SandboxLogJson.Default.LogListing);
    }
}

/// <summary>What <see cref="SessionLogListEnvelope"/> says, written while it is read.</summary>
internal sealed record LogListing(IAsyncEnumerable<SessionLogEntry> Logs, string Source);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, Converters = [typeof(TimestampConverter)])]
[JsonSerializable(typeof(LogListing))]
internal sealed partial class SandboxLogJson : JsonSerializerContext;
