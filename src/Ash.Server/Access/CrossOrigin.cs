using Ash.Server.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;

namespace Ash.Server.Access;

/// <summary>Which web pages may call the API from a browser. By default none: who has no page has no use for it.</summary>
internal static class CrossOrigin
{
    private static readonly string[] Methods = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"];

    /// <summary>What a page may read beside the body.</summary>
    private static readonly string[] Headers =
        ["Retry-After", "X-Request-Id", "X-Ash-Turn-Id", "X-Ash-Source", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];

    /// <summary>Before the keys: a browser asks without one whether it may send one.</summary>
    public static void UseCrossOrigin(this WebApplication app)
    {
        if (app.Services.GetRequiredService<ServerSettings>().CorsOrigins is { } origins)
        {
            app.UseCors(policy => Allow(policy, origins));
        }
    }

    private static void Allow(CorsPolicyBuilder policy, IReadOnlyList<string> origins)
    {
        policy.WithMethods(Methods).AllowAnyHeader().WithExposedHeaders(Headers);
        if (origins is ["*"])
        {
            policy.AllowAnyOrigin();
        }
        else
        {
            policy.WithOrigins([.. origins]).AllowCredentials();
        }
    }
}
