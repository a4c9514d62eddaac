using Ash.Runner.Workspaces;
using Ash.Server.Broker;
using Ash.Server.Credentials;
using Ash.Server.Events;
using Ash.Server.Storage;
using Ash.Server.Warm;

namespace Ash.Server.Sessions;

/// <summary>What the host must know to offer sessions.</summary>
internal static class SessionFeature
{
    public static IServiceCollection AddSessions(this IServiceCollection services)
    {
        services.AddSingleton(provider => new WorkspaceStore(provider.GetRequiredService<DataFolder>().Workspaces));
        services.AddSingleton<EventTails>();
        services.AddSingleton<EventStream>();
        services.AddSingleton<SandboxDirectory>();
        services.AddSingleton<SandboxStarter>();
        services.AddSingleton<CliStarts>();
        services.AddSingleton<WarmSandboxes>();
        services.AddSingleton<WarmPool>();
        services.AddSingleton<SealedSessions>();
        services.AddSingleton<ISealedRows>(static provider => provider.GetRequiredService<SealedSessions>());
        services.AddSingleton<SessionFactory>();
        services.AddSingleton<SandboxLog>();
        services.AddSingleton<Conversation>();
        services.AddSingleton<SessionServices>();
        services.AddSingleton<SessionRemoval>();
        services.AddSingleton<SessionForks>();
        services.AddSingleton<SessionRuntimes>();
        services.AddSingleton<SessionDirectory>();
        services.AddSingleton<SessionStreams>();
        services.AddSingleton<IModelCallAuthority, ModelCallAuthority>();
        services.AddHostedService<SandboxEvictor>();
        services.AddHostedService(static provider => provider.GetRequiredService<WarmPool>());
        services.AddHostedService<IdleSessionSweeper>();
        services.AddHostedService<EndedSessionSweeper>();
        services.AddHostedService<DeltaSweeper>();

        // Last to start and first to stop: whatever sessions need is up before they come back, and there until they are gone.
        services.AddHostedService<SessionRecovery>();
        return services;
    }
}
