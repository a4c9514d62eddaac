using Ash.Runner.Sandboxes;
using Ash.Server.Configuration;
using Ash.Server.Storage;

namespace Ash.Server.Runners;

/// <summary>What the host must know to run sandboxes on this machine.</summary>
internal static class RunnerFeature
{
    public static SandboxHostOptions DescribeRunner(ServerSettings settings, DataFolder data) => new()
    {
        DataDirectory = data.Path,
        RunDirectory = RunFolder.Of(data),
        ServerId = data.ServerId,
        BridgeProgram = settings.BridgeProgram ?? Programs.BesideServer("ash-bridge"),
        CliProgram = settings.CliProgram ?? Programs.Cli(),
        Isolation = settings.Isolation,
    };

    /// <summary>Every layer that is missing on this machine, each with its remedy.</summary>
    public static IReadOnlyList<string> FindMissing(SandboxHostOptions options)
    {
        try
        {
            SandboxPreconditions.Check(options);
            return [];
        }
        catch (SandboxException missing)
        {
            return missing.Message.Split('\n');
        }
    }

    public static IServiceCollection AddRunner(this IServiceCollection services, SandboxHostOptions options)
    {
        services.AddSingleton<ISandboxHost>(provider => SandboxHost.Create(
            options, provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
