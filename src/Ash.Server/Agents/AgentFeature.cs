using Ash.Server.Credentials;
using Ash.Server.Storage;

namespace Ash.Server.Agents;

/// <summary>What the host must know to offer agents.</summary>
internal static class AgentFeature
{
    public static IServiceCollection AddAgents(this IServiceCollection services)
    {
        services.AddSingleton(static provider =>
        {
            var data = provider.GetRequiredService<DataFolder>();
            return new AgentContentStore(data.Agents, data.Temporary);
        });
        services.AddSingleton<SealedAgents>();
        services.AddSingleton<ISealedRows>(static provider => provider.GetRequiredService<SealedAgents>());
        services.AddSingleton<AgentView>();
        services.AddSingleton<AgentDeploys>();
        services.AddSingleton<AgentDirectory>();
        services.AddSingleton<PromptVersions>();
        return services;
    }
}
