namespace Ash.Server.Telemetry;

/// <summary>How OpenTelemetry's names are written in Prometheus: a collector that exports ours names them in the same way.</summary>
internal static class MetricName
{
    public static string Of(string name, string? unit, bool isCounter)
    {
        var written = Of(name);
        var suffix = unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => string.Empty, // None, or one in braces, which is for people.
        };
        return written + suffix + (isCounter ? "_total" : string.Empty);
    }

    public static string Of(string name) => name.Replace('.', '_');
}
