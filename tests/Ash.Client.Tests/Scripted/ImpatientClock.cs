using System.Collections.Concurrent;

namespace Ash.Client.Tests.Scripted;

/// <summary>A clock for which every wait is over at once, and which remembers how long it should have been.</summary>
/// <remarks>Only for waits up to <paramref name="longest"/>: what is longer is a limit, not a wait, and never comes.</remarks>
internal sealed class ImpatientClock(TimeSpan longest) : TimeProvider
{
    public ConcurrentQueue<TimeSpan> Waits { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime == Timeout.InfiniteTimeSpan || dueTime > longest)
        {
            return base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
        }

        Waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
