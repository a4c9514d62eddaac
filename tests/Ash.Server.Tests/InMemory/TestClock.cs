using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Ash.Server.Tests.InMemory;

/// <summary>A clock that only the test moves, and that says when somebody begins to wait.</summary>
internal sealed class TestClock() : FakeTimeProvider(new DateTimeOffset(2026, 1, 15, 10, 0, 0, TimeSpan.Zero))
{
    private readonly ConcurrentDictionary<(TimeSpan, bool), TaskCompletionSource> _waits = new();

    /// <summary>Completes once somebody waits for exactly this long.</summary>
    public Task WaitBegunAsync(TimeSpan time) => WaitFor(time, isChange: false).Task;

    /// <summary>Completes once a timer that was there already was armed for exactly this long.</summary>
    public Task TimerArmedAsync(TimeSpan time) => WaitFor(time, isChange: true).Task;

    /// <summary>What has begun so far counts no more.</summary>
    public void ForgetWaits() => _waits.Clear();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new WatchedTimer(base.CreateTimer(callback, state, dueTime, period), this);
        WaitFor(dueTime, isChange: false).TrySetResult();
        return timer;
    }

    private TaskCompletionSource WaitFor(TimeSpan time, bool isChange) =>
        _waits.GetOrAdd((time, isChange), static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private sealed class WatchedTimer(ITimer timer, TestClock clock) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var changed = timer.Change(dueTime, period);
            clock.WaitFor(dueTime, isChange: true).TrySetResult();
            return changed;
        }

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
