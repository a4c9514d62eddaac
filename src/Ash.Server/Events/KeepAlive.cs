namespace Ash.Server.Events;

/// <summary>Sets a signal when nothing was written for a while.</summary>
internal sealed class KeepAlive : IDisposable
{
    private readonly TimeProvider _clock;
    private readonly TimeSpan _interval;
    private readonly EventSignal _signal;
    private readonly ITimer _timer;
    private long _lastWrite;

    public KeepAlive(TimeProvider clock, TimeSpan interval, EventSignal signal)
    {
        _clock = clock;
        _interval = interval;
        _signal = signal;
        _lastWrite = _clock.GetTimestamp();
        _timer = _clock.CreateTimer(
            static self => ((KeepAlive)self!).Tick(), this, _interval, Timeout.InfiniteTimeSpan); // `this` is never null.
    }

    /// <summary>Whether it is time to write a comment.</summary>
    public bool IsDue => Remaining <= TimeSpan.Zero;

    private TimeSpan Remaining => _interval - _clock.GetElapsedTime(Volatile.Read(ref _lastWrite));

    /// <summary>Something was written just now.</summary>
    public void Written() => Volatile.Write(ref _lastWrite, _clock.GetTimestamp());

    public void Dispose() => _timer.Dispose();

    // Writing is frequent and idling is not: the timer is moved when it fires, not with every write.
    private void Tick()
    {
        var remaining = Remaining;
        if (remaining <= TimeSpan.Zero)
        {
            _signal.Set();
            remaining = _interval;
        }

        // Timers count whole milliseconds; one that fires early would fire at once again.
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(remaining.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
    }
}
