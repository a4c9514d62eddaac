using System.Collections.Concurrent;

namespace Ash.Server.Access;

/// <summary>Counts by partition, each in windows of one length that begin with its first count. Thread-safe.</summary>
/// <remarks>
/// The framework's limiters run on the machine's clock alone, and do not tell what clients are told here: how much is left, and
/// when that begins anew.
/// </remarks>
/// <param name="limit">So many are let through within a window.</param>
/// <param name="length">Of a window.</param>
/// <param name="clock">Tells when one has passed.</param>
/// <param name="maxPartitions">Those beyond so many share a window, so that they do not fill the memory.</param>
internal sealed class RateWindows<TPartition>(int limit, TimeSpan length, TimeProvider clock, int maxPartitions = int.MaxValue)
    where TPartition : notnull
{
    private static readonly TimeSpan RemovalInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<TPartition, Window> _windows = new();
    private readonly Window _shared = new();
    private long _partitions;
    private long _removedAt = clock.GetTimestamp();

    /// <summary>Counts one.</summary>
    public RateWindow Take(TPartition partition) => WindowOf(partition).Count(1, limit, length, clock.GetUtcNow());

    /// <summary>How the partition stands; nothing is counted.</summary>
    /// <remarks>One that has no window of its own has exceeded nothing: others' counts are not held against it.</remarks>
    public RateWindow Look(TPartition partition) => _windows.TryGetValue(partition, out var window)
        ? window.Count(0, limit, length, clock.GetUtcNow())
        : new RateWindow(limit, limit, length, IsExceeded: false);

    private Window WindowOf(TPartition partition)
    {
        if (_windows.TryGetValue(partition, out var known))
        {
            return known;
        }

        if (Volatile.Read(ref _partitions) >= maxPartitions)
        {
            RemovePassed();
        }

        if (Volatile.Read(ref _partitions) >= maxPartitions)
        {
            return _shared;
        }

        var fresh = new Window();
        var window = _windows.GetOrAdd(partition, fresh);
        if (window == fresh)
        {
            Interlocked.Increment(ref _partitions);
        }

        return window;
    }

    /// <remarks>Now and then: with each new partition, it would take longer than what it makes room for.</remarks>
    private void RemovePassed()
    {
        var removedAt = Volatile.Read(ref _removedAt);
        if (clock.GetElapsedTime(removedAt) < RemovalInterval
            || Interlocked.CompareExchange(ref _removedAt, clock.GetTimestamp(), removedAt) != removedAt)
        {
            return;
        }

        var now = clock.GetUtcNow();
        foreach (var entry in _windows)
        {
            if (entry.Value.HasPassed(length, now) && _windows.TryRemove(entry))
            {
                Interlocked.Decrement(ref _partitions);
            }
        }
    }

    private sealed class Window
    {
        private readonly Lock _lock = new();
        private DateTimeOffset _began = DateTimeOffset.MinValue;
        private int _count;

        public bool HasPassed(TimeSpan length, DateTimeOffset now)
        {
            lock (_lock)
            {
                return _began + length <= now;
            }
        }

        public RateWindow Count(int more, int limit, TimeSpan length, DateTimeOffset now)
        {
            lock (_lock)
            {
                if (_began + length <= now)
                {
                    (_began, _count) = (now, 0);
                }

                var isExceeded = _count + more > limit || (more == 0 && _count >= limit);
                _count = Math.Min(_count + more, limit);
                return new RateWindow(limit, limit - _count, _began + length - now, isExceeded);
            }
        }
    }
}
