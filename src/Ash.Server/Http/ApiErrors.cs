using Ash.Protocol.Api;

namespace Ash.Server.Http;

/// <summary>Says in the API's description which failures an operation has, beside those that any has.</summary>
internal static class ApiErrors
{
    /// <summary>The key has not the scope, there are too many requests, the store is unavailable.</summary>
    private static readonly int[] OfAll =
        [StatusCodes.Status403Forbidden, StatusCodes.Status429TooManyRequests, StatusCodes.Status503ServiceUnavailable];

    public static RouteHandlerBuilder ProducesApiErrors(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses.Union(OfAll))
        {
            route.Produces<ApiError>(status);
        }

        return route;
    }
}
