using System.Diagnostics;

namespace Ash.Server.Telemetry;

/// <summary>The span of a request, where its trace is wanted: a feature of the request.</summary>
/// <param name="Span">Begun, and ended with the request.</param>
/// <param name="ClientParent">The client's <c>traceparent</c>, where it sent a sound one.</param>
internal sealed record RequestSpan(Activity Span, string? ClientParent)
{
    /// <summary>The session that the request made, where its route does not name it.</summary>
    public Guid? SessionId { get; set; }

    /// <summary>What a turn that this request begins is to remember.</summary>
    public TurnTrace TurnTrace => ClientParent is { } client ? new TurnTrace(client, Span.Id) : new TurnTrace(Span.Id!, null); // A W3C span has an id.

    public static RequestSpan? Of(HttpContext context) => context.Features.Get<RequestSpan>();
}
