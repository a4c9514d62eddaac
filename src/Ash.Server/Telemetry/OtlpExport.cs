using Ash.Server.Configuration;
using Ash.Server.Health;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Ash.Server.Telemetry;

/// <summary>Sends spans and figures to an OpenTelemetry collector. The only one who knows OpenTelemetry's libraries: without it none is loaded.</summary>
/// <remarks>
/// First to start and last to stop, so that nothing is missing. A collector that does not answer costs what it would have been
/// sent, and nothing else: both kinds wait in queues of a fixed size, in threads of their own.
/// </remarks>
internal sealed class OtlpExport(ServerSettings settings) : IHostedService, IDisposable
{
    private const string ServiceName = "ash-coordinator";

    /// <summary>So long the last ones may take when the server stops.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private TracerProvider? _traces;
    private MeterProvider? _metrics;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (settings.Otlp.SendsTraces)
        {
            _traces = Sdk.CreateTracerProviderBuilder()
                .ConfigureResource(Describe)
                .AddSource(ServerTraces.SourceName)
                .AddOtlpExporter()
                .Build();
        }

        if (settings.Otlp.SendsMetrics)
        {
            _metrics = Sdk.CreateMeterProviderBuilder()
                .ConfigureResource(Describe)
                .AddMeter(ServerMetrics.MeterName, "System.Runtime")
                .AddOtlpExporter()
                .Build();
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        var patience = (int)Farewell.TotalMilliseconds;
        return Task.WhenAll(
            Task.Run(() => _traces?.Shutdown(patience), CancellationToken.None),
            Task.Run(() => _metrics?.Shutdown(patience), CancellationToken.None));
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    /// <summary>The operator's own words come last, and win.</summary>
    private static void Describe(ResourceBuilder resource) => resource
        .Clear()
        .AddTelemetrySdk()
        .AddService(ServiceName, serviceVersion: ServerVersion.Text, serviceInstanceId: ServerHealth.CoordinatorId)
        .AddAttributes([new("host.name", Environment.MachineName)])
        .AddEnvironmentVariableDetector();
}
