using System.Diagnostics;

namespace Ash.Server.Health;

/// <summary>When this server began to start, by the monotonic clock.</summary>
internal sealed record ServerStart(long Timestamp)
{
    public static ServerStart Now() => new(Stopwatch.GetTimestamp());

    public TimeSpan Ago => Stopwatch.GetElapsedTime(Timestamp);
}
