using System.Diagnostics;

namespace Ash.Server.Telemetry;

/// <summary>Where a turn belongs in its client's trace. It is kept with the turn, which may run long after its request, and on another server.</summary>
/// <param name="Parent">The client's span, else that of the request: a W3C <c>traceparent</c>.</param>
/// <param name="Request">The request's span where it is not the parent, in the same form.</param>
[GenerateSerializer, Immutable]
internal sealed record TurnTrace([property: Id(0)] string Parent, [property: Id(1)] string? Request)
{
    internal ActivityContext? ParentContext => Read(Parent);

    internal ActivityContext? RequestContext => Read(Request);

    private static ActivityContext? Read(string? traceParent) =>
        ActivityContext.TryParse(traceParent, traceState: null, isRemote: true, out var context) ? context : null;
}
