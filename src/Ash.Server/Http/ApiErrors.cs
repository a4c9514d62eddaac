using Ash.Protocol.Api;

namespace Ash.Server.Http;

/// <summary>Says in the API's description which failures an operation has: 503 any, while its store is unavailable.</summary>
internal static class ApiErrors
{
    public static RouteHandlerBuilder ProducesApiErrors(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses.Append(StatusCodes.Status503ServiceUnavailable))
        {
            route.Produces<ApiError>(status);
        }

        return route;
    }
}
