namespace Ash.Server.Telemetry;

/// <summary>An operation of the API, as figures and spans name it.</summary>
/// <param name="Route">The pattern; <c>none</c> where no route fits.</param>
/// <param name="Span">Contract 13.2's name of its span; null where the contract has none.</param>
internal sealed record Operation(string Route, string? Span)
{
    /// <summary>No operation: an address that is not there.</summary>
    public static readonly Operation None = new("none", null);

    /// <summary>By the operation's id.</summary>
    internal static readonly IReadOnlyDictionary<string, string> Spans = new Dictionary<string, string>
    {
        ["CreateSession"] = "ash.session.create",
        ["SendMessage"] = "ash.session.message",
        ["PauseSession"] = "ash.session.pause",
        ["StopSession"] = "ash.session.stop",
        ["ResumeSession"] = "ash.session.resume",
        ["ForkSession"] = "ash.session.fork",
        ["EndSession"] = "ash.session.end",
        ["ExecInSession"] = "ash.session.exec",
    };

    public static Operation Of(Endpoint endpoint) => endpoint is RouteEndpoint route ? Of(route) : None;

    private static Operation Of(RouteEndpoint endpoint) => new(
        endpoint.RoutePattern.RawText?.TrimEnd('/') is { Length: > 0 } pattern ? pattern : "/",
        endpoint.Metadata.GetMetadata<IEndpointNameMetadata>() is { } named ? Spans.GetValueOrDefault(named.EndpointName) : null);
}
