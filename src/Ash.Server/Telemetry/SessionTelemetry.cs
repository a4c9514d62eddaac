using Ash.Server.Runners;
using Ash.Server.Storage;

namespace Ash.Server.Telemetry;

/// <summary>What sessions report to: figures, spans, lines.</summary>
internal sealed class SessionTelemetry(ServerMetrics metrics, ServerTraces traces, TelemetryLines lines, PoolCounters counters, TimeProvider clock)
{
    public ServerMetrics Metrics => metrics;

    public ServerTraces Traces => traces;

    public TelemetryLines Lines => lines;

    public PoolCounters Counters => counters;

    public TimeProvider Clock => clock;

    /// <param name="sessionId">Whose sandbox it is, or is to be.</param>
    /// <param name="sandboxId">The sandbox.</param>
    /// <param name="spawned">From the start to its processes.</param>
    /// <param name="ready">From the start until it has its environment, and is in the store.</param>
    public void SandboxStarted(Guid sessionId, string sandboxId, TimeSpan spawned, TimeSpan ready)
    {
        metrics.SandboxStarted(ready);
        lines.WriteSandbox(sessionId, sandboxId, spawned, ready - spawned);
    }

    /// <param name="failure">Who gives a start up has no failed one.</param>
    public void SandboxFailed(Exception failure)
    {
        if (failure is not OperationCanceledException)
        {
            metrics.SandboxFailed();
        }
    }

    /// <param name="session">Is read as it is then.</param>
    /// <param name="isNew">Whether no turn of it can have cost anything yet.</param>
    public SessionMeter Of(SessionRecord session, bool isNew) => new(session, isNew, this);
}
