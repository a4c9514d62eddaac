using Ash.Protocol.Api;

namespace Ash.Server.Http;

/// <summary>Says in the API's description which failures an operation has.</summary>
internal static class ApiErrors
{
    public static RouteHandlerBuilder ProducesApiErrors(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses)
        {
            route.Produces<ApiError>(status);
        }

        return route;
    }
}
