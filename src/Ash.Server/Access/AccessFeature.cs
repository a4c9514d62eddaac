using Ash.Server.Http;

namespace Ash.Server.Access;

/// <summary>Nothing below <c>/api</c> answers without a key (contract 8.2).</summary>
internal static class AccessFeature
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddSingleton<ApiKeys>();
        services.AddHostedService(provider => provider.GetRequiredService<ApiKeys>());
        return services;
    }

    public static void UseAccess(this WebApplication app) => app.Use(async (context, next) =>
    {
        if (!context.Request.Path.StartsWithSegments("/api"))
        {
            await next(context);
            return;
        }

        if (Check(context, out var caller) is { } problem)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await problem.WriteAsync(context);
            return;
        }

        context.Features.Set(caller);
        await next(context);
    });

    private static Problem? Check(HttpContext context, out Caller? caller)
    {
        caller = null;
        var header = context.Request.Headers.Authorization.ToString();
        if (header.Length == 0)
        {
            return Problems.Unauthorized("Missing Authorization header");
        }

        if (header.Split(' ') is not ["Bearer", { Length: > 0 } key])
        {
            return Problems.Unauthorized("Invalid Authorization header format");
        }

        caller = context.RequestServices.GetRequiredService<ApiKeys>().Find(key);
        return caller is null ? Problems.Unauthorized("Invalid API key") : null;
    }
}
