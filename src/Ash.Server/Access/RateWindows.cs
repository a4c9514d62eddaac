using System.Collections.Concurrent;

namespace Ash.Server.Access;

/// <summary>Counts by partition, each in windows of one length that begin with its first count. Thread-safe.</summary>
/// <remarks>
/// The framework's limiters run on the machine's clock alone, and do not tell what clients are told here: how much is left, and
/// when that begins anew.
/// </remarks>
internal sealed class RateWindows<TPartition>(int limit, TimeSpan length, TimeProvider clock)
    where TPartition : notnull
{
    /// <summary>Partitions beyond so many share one: who sends from many addresses must not fill the memory.</summary>
    internal const int MaxPartitions = 10_000;

    private readonly ConcurrentDictionary<TPartition, Window> _windows = new();
    private readonly Window _shared = new();
    private long _partitions;

    /// <summary>Counts one.</summary>
    public RateWindow Take(TPartition partition) => WindowOf(partition).Count(1, limit, length, clock.GetUtcNow());

    /// <summary>How the partition stands; nothing is counted.</summary>
    public RateWindow Look(TPartition partition)
    {
        if (!_windows.TryGetValue(partition, out var window))
        {
            if (Volatile.Read(ref _partitions) < MaxPartitions)
            {
                return new RateWindow(limit, limit, length, IsExceeded: false);
            }

            window = _shared;
        }

        return window.Count(0, limit, length, clock.GetUtcNow());
    }

    private Window WindowOf(TPartition partition)
    {
        if (_windows.TryGetValue(partition, out var known))
        {
            return known;
        }

        if (Volatile.Read(ref _partitions) >= MaxPartitions)
        {
            RemovePassed();
        }

        return Volatile.Read(ref _partitions) < MaxPartitions ? _windows.GetOrAdd(partition, _ => Make()) : _shared;
    }

    private Window Make()
    {
        Interlocked.Increment(ref _partitions);
        return new Window();
    }

    private void RemovePassed()
    {
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
