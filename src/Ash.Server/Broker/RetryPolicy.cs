namespace Ash.Server.Broker;

/// <summary>Whether and when a call that failed for a passing reason is made again.</summary>
internal sealed class RetryPolicy(BrokerOptions options, Random random)
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(8);

    public static bool IsPassing(int status) => status is 429 or 500 or 502 or 503 or 529;

    /// <summary>The wait before the next attempt; null where there is none.</summary>
    /// <param name="attempts">How many have been made.</param>
    /// <param name="elapsed">Since the call came in.</param>
    /// <param name="retryAfter">What the model asked for.</param>
    public TimeSpan? NextDelay(int attempts, TimeSpan elapsed, TimeSpan? retryAfter)
    {
        if (attempts > options.MaxRetries)
        {
            return null;
        }

        var delay = retryAfter ?? Backoff(attempts);
        return elapsed + delay <= options.RetryWindow ? delay : null;
    }

    /// <summary>Spread by a quarter either way: all sandboxes of a server meet an overloaded model at the same moment.</summary>
    private TimeSpan Backoff(int attempts)
    {
        var delay = options.RetryDelay * Math.Pow(2, attempts - 1);
        return (delay < LongestDelay ? delay : LongestDelay) * (0.75 + (random.NextDouble() / 2));
    }
}
