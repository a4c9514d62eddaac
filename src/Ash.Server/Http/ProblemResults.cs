using System.Globalization;
using Ash.Protocol.Api;

namespace Ash.Server.Http;

/// <summary>How a <see cref="Problem"/> looks in <c>/api</c>.</summary>
internal static class ProblemResults
{
    public static IResult ToResult(this Problem problem, HttpContext context)
    {
        // So that what is outermost can name what was answered.
        context.Features.Set(problem);
        if (problem.RetryAfterSeconds is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }
        else if (problem is { Status: StatusCodes.Status503ServiceUnavailable, Passes: true })
        {
            // An answer costs nothing.
            context.Response.Headers.RetryAfter = "1";
        }

        return Results.Json(problem.Describe(context.TraceIdentifier), ApiJson.Default.ApiError, statusCode: problem.Status);
    }

    public static ApiError Describe(this Problem problem, string requestId) =>
        new(problem.Message, problem.Status, problem.Code, requestId) { Message = problem.Detail };

    public static Task WriteAsync(this Problem problem, HttpContext context) => problem.ToResult(context).ExecuteAsync(context);
}
