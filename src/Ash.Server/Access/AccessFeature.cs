namespace Ash.Server.Access;

/// <summary>Who may ask for what, and how often.</summary>
internal static class AccessFeature
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddCors();
        services.AddSingleton<ApiKeys>();
        services.AddSingleton<InternalSecret>();
        services.AddSingleton<FailedKeys>();
        services.AddSingleton<RateLimits>();
        services.AddHostedService(static provider => provider.GetRequiredService<ApiKeys>());
        services.AddHostedService<LastUseWriter>();
        return services;
    }

    public static void UseAccess(this WebApplication app)
    {
        app.UseCrossOrigin();
        app.UseMiddleware<KeyCheck>();
    }
}
