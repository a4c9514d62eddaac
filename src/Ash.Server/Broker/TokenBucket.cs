namespace Ash.Server.Broker;

/// <summary>Lets a burst through and then a steady rate. Thread-safe.</summary>
internal sealed class TokenBucket(int burst, double perSecond, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private double _tokens = burst;
    private long _filledAt = clock.GetTimestamp();

    /// <summary>Takes a token, or says how long it takes until there is one.</summary>
    public bool TryTake(out TimeSpan wait)
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            _tokens = Math.Min(burst, _tokens + (clock.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
            _filledAt = now;

            if (_tokens >= 1)
            {
                _tokens--;
                wait = TimeSpan.Zero;
                return true;
            }

            // Rounded up to the timers' resolution, so that who waits this long does get one.
            wait = TimeSpan.FromMilliseconds(Math.Ceiling((1 - _tokens) / perSecond * 1000));
            return false;
        }
    }
}
