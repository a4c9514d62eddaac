namespace Ash.Simulator.Tests;

/// <summary>A clock that stands still until a test moves it, and tells when something waits for it.</summary>
internal sealed class ManualClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<Alarm> _alarms = [];
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, () => callback(state));
        alarm.Change(dueTime, period);
        return alarm;
    }

    /// <summary>Completes once something waits for this long from now, and moves the clock just there.</summary>
    public async Task AdvanceToAlarmAsync(TimeSpan expected, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            Alarm? due;

            lock (_lock)
            {
                changed = _changed.Task;
                due = _alarms.Find(alarm => alarm.DueAt - _now == expected);

                if (due is not null)
                {
                    _now += expected;
                    _alarms.Remove(due);
                }
            }

            if (due is not null)
            {
                due.Ring();
                return;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private void Set(Alarm alarm, TimeSpan dueTime)
    {
        TaskCompletionSource changed;

        lock (_lock)
        {
            _alarms.Remove(alarm);

            if (dueTime != Timeout.InfiniteTimeSpan)
            {
                alarm.DueAt = _now + dueTime;
                _alarms.Add(alarm);
            }

            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    private sealed class Alarm(ManualClock clock, Action ring) : ITimer
    {
        public DateTimeOffset DueAt { get; set; }

        public void Ring() => ring();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            clock.Set(this, dueTime);
            return true;
        }

        public void Dispose() => clock.Set(this, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
