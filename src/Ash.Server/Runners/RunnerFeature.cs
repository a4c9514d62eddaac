using Ash.Runner.Sandboxes;
using Ash.Server.Configuration;
using Ash.Server.Storage;

namespace Ash.Server.Runners;

/// <summary>What the host must know to run sandboxes on this machine.</summary>
internal static class RunnerFeature
{
    /// <summary>Every layer that is missing on this machine, each with its remedy. Touches nothing.</summary>
    public static IReadOnlyList<string> FindMissing(ServerSettings settings)
    {
        try
        {
            SandboxPreconditions.Check(Describe(settings, settings.DataDirectory, runDirectory: settings.DataDirectory, serverId: "check"));
            return [];
        }
        catch (SandboxException missing)
        {
            return missing.Message.Split('\n');
        }
    }

    public static IServiceCollection AddRunner(this IServiceCollection services, ServerSettings settings, DataFolder data)
    {
        var options = Describe(settings, data.Path, RunFolder.Of(data), data.ServerId);
        services.AddSingleton(SandboxUids.Of(settings, data.ServerId));
        services.AddSingleton<MachineMemory>();
        services.AddSingleton<SandboxPlaces>();
        services.AddSingleton<PoolCounters>();
        services.AddSingleton<ISandboxHost>(provider => SandboxHost.Create(
            options, provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }

    private static SandboxHostOptions Describe(ServerSettings settings, string dataDirectory, string runDirectory, string serverId) => new()
    {
        DataDirectory = dataDirectory,
        RunDirectory = runDirectory,
        ServerId = serverId,
        BridgeProgram = settings.BridgeProgram ?? Programs.BesideServer("ash-bridge"),
        CliProgram = settings.CliProgram ?? Programs.Cli(),
        CliSha256 = settings.CliSha256 ?? PinnedCli.Sha256,
        Isolation = settings.Isolation,
    };
}
