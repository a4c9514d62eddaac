namespace Ash.Server.Credentials;

/// <summary>What the host must know to keep secrets for sessions.</summary>
internal static class CredentialFeature
{
    public static IServiceCollection AddCredentials(this IServiceCollection services)
    {
        services.AddSingleton<CredentialKeys>();
        services.AddSingleton<SealedTexts>();
        services.AddSingleton<CredentialStore>();
        services.AddSingleton<SessionCredentials>();
        services.AddHostedService(static provider => provider.GetRequiredService<CredentialStore>());
        services.AddHostedService<SealedTextRotation>();
        return services;
    }
}
