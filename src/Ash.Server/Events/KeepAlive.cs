namespace Ash.Server.Events;

/// <summary>Sets a signal when nothing was written for a while.</summary>
internal sealed class KeepAlive : IDisposable
{
    private readonly TimeProvider clock;
    private readonly TimeSpan interval;
    private readonly EventSignal signal;
    private readonly ITimer timer;
    private long lastWrite;

    public KeepAlive(TimeProvider clock, TimeSpan interval, EventSignal signal)
    {
        this.clock = clock;
        this.interval = interval;
        this.signal = signal;
        lastWrite = clock.GetTimestamp();
        timer = clock.CreateTimer(
            static self => ((KeepAlive)self!).Tick(), this, interval, Timeout.InfiniteTimeSpan); // `this` is never null.
    }

    /// <summary>Whether it is time to write a comment.</summary>
    public bool IsDue => Remaining <= TimeSpan.Zero;

    private TimeSpan Remaining => interval - clock.GetElapsedTime(Volatile.Read(ref lastWrite));

    /// <summary>Something was written just now.</summary>
    public void Written() => Volatile.Write(ref lastWrite, clock.GetTimestamp());

    public void Dispose() => timer.Dispose();

    // Writing is frequent and idling is not: the timer is moved when it fires, not with every write.
    private void Tick()
    {
        var remaining = Remaining;
        if (remaining <= TimeSpan.Zero)
        {
            signal.Set();
            remaining = interval;
        }

        // Timers count whole milliseconds; one that fires early would fire at once again.
        timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(remaining.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }
}
