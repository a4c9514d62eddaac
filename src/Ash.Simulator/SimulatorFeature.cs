using Microsoft.Extensions.DependencyInjection;

namespace Ash.Simulator;

/// <summary>What a host must know to offer the scripted model.</summary>
public static class SimulatorFeature
{
    /// <summary>Adds the <see cref="ModelSimulator"/> that <see cref="SimulatorEndpoints.MapMessagesApi"/> serves.</summary>
    public static IServiceCollection AddSimulator(this IServiceCollection services, SimulatorOptions options) =>
        services.AddSimulator(new ModelSimulator(options));

    /// <summary>Adds one that the caller keeps a hand on.</summary>
    public static IServiceCollection AddSimulator(this IServiceCollection services, ModelSimulator simulator)
    {
        services.AddRouting();
        services.AddLogging();
        services.AddSingleton(simulator);
        services.AddSingleton<RequestDesk>();
        return services;
    }
}
