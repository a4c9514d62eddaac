using System.Diagnostics;

namespace Ash.Server.Telemetry;

/// <summary>Makes spans where somebody listens; where nobody does, none is made and nothing is allocated.</summary>
/// <remarks>
/// No span is ever the ambient one: work of sessions goes on in tasks of its own, and would take whichever request came first
/// for its parent. Parents are given.
/// </remarks>
internal sealed class ServerTraces(TimeProvider clock) : IDisposable
{
    public const string SourceName = "Ash";

    public ActivitySource Source { get; } = new(SourceName);

    public bool IsOn => Source.HasListeners();

    /// <summary>Begins a span; null where nobody listens, or its trace is not sampled.</summary>
    /// <param name="name">Without anything that users or agents say.</param>
    /// <param name="kind">Which side of a call it is.</param>
    /// <param name="parent">The default begins a trace.</param>
    /// <param name="startedAt">Null for now.</param>
    /// <param name="links">Other spans that it has to do with.</param>
    public Activity? Begin(
        string name, ActivityKind kind, ActivityContext parent, DateTimeOffset? startedAt = null, IEnumerable<ActivityLink>? links = null)
    {
        if (!IsOn)
        {
            return null;
        }

        var ambient = Activity.Current;
        Activity.Current = null;
        var span = Source.StartActivity(name, kind, parent, tags: null, links, startedAt ?? clock.GetUtcNow());
        Activity.Current = ambient;
        return span;
    }

    public void End(Activity span)
    {
        var ambient = Activity.Current;
        span.SetEndTime(clock.GetUtcNow().UtcDateTime);
        span.Stop();
        Activity.Current = ambient;
    }

    public void Dispose() => Source.Dispose();
}
