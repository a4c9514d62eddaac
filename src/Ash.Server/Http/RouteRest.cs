using Microsoft.AspNetCore.Http.Features;

namespace Ash.Server.Http;

/// <summary>The rest of an address, where it is a path of its own.</summary>
internal static class RouteRest
{
    /// <summary>
    /// What follows so many segments, decoded once: routing leaves <c>%2F</c> as it is, which clients send for a slash, and then
    /// cannot tell it from a <c>%252F</c>.
    /// </summary>
    public static string Of(HttpContext context, int segments)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var path = target.Split('?', 2)[0];
        if (!path.StartsWith('/') && Uri.TryCreate(path, UriKind.Absolute, out var absolute))
        {
            path = absolute.AbsolutePath;
        }

        return Uri.UnescapeDataString(string.Join('/', path.Split('/').Skip(segments + 1)));
    }
}
