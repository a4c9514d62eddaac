using Ash.Server.Configuration;

namespace Ash.Server.Telemetry;

/// <summary>What is sent to an OpenTelemetry collector. Whither and how, the exporter reads by itself from OpenTelemetry's own variables.</summary>
/// <param name="SendsTraces">Whether spans are made, and sent.</param>
/// <param name="SendsMetrics">Whether figures are sent.</param>
internal sealed record OtlpSettings(bool SendsTraces, bool SendsMetrics)
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public bool IsOn => SendsTraces || SendsMetrics;

    public static OtlpSettings Read(SettingsReader reader)
    {
        var isGeneral = reader.HttpUrl(Endpoint) is not null;
        var hasTraces = reader.HttpUrl("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") is not null;
        var hasMetrics = reader.HttpUrl("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") is not null;
        CheckProtocol("OTEL_EXPORTER_OTLP_PROTOCOL");
        CheckProtocol("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL");
        CheckProtocol("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL");
        var isDisabled = reader.Choice("OTEL_SDK_DISABLED", false, ("true", true), ("false", false));
        var wantsTraces = Wants("OTEL_TRACES_EXPORTER");
        var wantsMetrics = Wants("OTEL_METRICS_EXPORTER");
        return new OtlpSettings(
            SendsTraces: !isDisabled && wantsTraces && (isGeneral || hasTraces),
            SendsMetrics: !isDisabled && wantsMetrics && (isGeneral || hasMetrics));

        bool Wants(string name) => reader.Choice(name, true, ("otlp", true), ("none", false));

        void CheckProtocol(string name) => reader.Choice(name, "grpc", ("grpc", "grpc"), ("http/protobuf", "http/protobuf"));
    }
}
