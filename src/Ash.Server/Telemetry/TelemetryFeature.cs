using System.Runtime.CompilerServices;
using Ash.Server.Configuration;

namespace Ash.Server.Telemetry;

/// <summary>What the host must know to show how it is doing: figures, and spans where a collector wants them.</summary>
internal static class TelemetryFeature
{
    /// <summary>Before all other features: its parts are the first to start and the last to stop.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, ServerSettings settings)
    {
        services.AddSingleton<ServerMetrics>();
        services.AddSingleton<ServerGauges>();
        services.AddSingleton<MetricPage>();
        services.AddSingleton<ServerTraces>();
        services.AddSingleton<SessionTelemetry>();
        services.AddSingleton(Console.Error);
        services.AddSingleton<TelemetryLines>();
        services.AddHostedService(static provider => provider.GetRequiredService<TelemetryLines>());
        if (settings.Otlp.IsOn)
        {
            AddExport(services);
        }

        return services;
    }

    /// <summary>Outermost of what the API's requests pass.</summary>
    public static void UseTelemetry(this WebApplication app)
    {
        // Now: a counter that nobody listens to yet counts nothing.
        app.Services.GetRequiredService<ServerGauges>().Create();
        app.Services.GetRequiredService<MetricPage>();
        app.UseMiddleware<HttpTelemetry>();
    }

    /// <summary>Apart, so that its libraries are loaded only where it is called.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AddExport(IServiceCollection services) => services.AddHostedService<OtlpExport>();
}
