using Ash.Runner.Bundles;

namespace Ash.Server.Files;

/// <summary>What the host must know to offer the files of sessions.</summary>
internal static class FilesFeature
{
    public static IServiceCollection AddFiles(this IServiceCollection services)
    {
        services.AddSingleton<SessionWorkspaces>();
        services.AddSingleton(BundleLimits.Default);
        return services;
    }
}
