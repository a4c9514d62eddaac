using Ash.Server.Sessions;
using Ash.Server.Storage;

namespace Ash.Server.Telemetry;

/// <summary>What one session reports, as long as it is in memory. Called under the session's gate.</summary>
internal sealed class SessionMeter(SessionRecord session, bool isNew, SessionTelemetry telemetry)
{
    public CostTotals Costs { get; } = new(isNew);

    public SessionRecord Session => session;

    /// <summary>How the session last came to its sandbox; null where it has not since it is in memory.</summary>
    public Resumption? LastResume { get; private set; }

    public TurnTelemetry Begin(Turn turn) => new(turn, this, telemetry);

    /// <summary>A session that slept has a sandbox: its own, or a new one with its files.</summary>
    public void Resumed(bool isWarm)
    {
        telemetry.Counters.CountResume(isWarm);
        LastResume = new Resumption(isWarm ? "warm" : "cold", isWarm ? null : "local", telemetry.Clock.GetTimestamp());
        telemetry.Lines.WriteResume(session, LastResume);
    }
}

/// <param name="Path"><c>warm</c> or <c>cold</c>.</param>
/// <param name="Source">Where the files came from, for <c>cold</c>.</param>
/// <param name="Timestamp">The clock's.</param>
internal sealed record Resumption(string Path, string? Source, long Timestamp);
