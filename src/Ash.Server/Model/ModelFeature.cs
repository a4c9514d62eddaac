using Ash.Server.Broker;
using Ash.Server.Configuration;

namespace Ash.Server.Model;

/// <summary>Where model calls go: to the configured upstream, or to the scripted stand-in in this process.</summary>
internal static class ModelFeature
{
    public static IServiceCollection AddModel(this IServiceCollection services, ServerSettings settings)
    {
        services.AddBroker();
        if (settings.Model == ModelChoice.Scripted)
        {
            services.AddSingleton<ScriptedModel>();
            services.AddHostedService(provider => provider.GetRequiredService<ScriptedModel>());
            services.AddOptions<ModelUpstream>().Configure<ScriptedModel>((upstream, model) =>
            {
                upstream.BaseUrl = "http://scripted-model.invalid";
                upstream.ApiKey = null;
                upstream.SocketPath = model.SocketPath;
            });
        }

        return services;
    }
}
