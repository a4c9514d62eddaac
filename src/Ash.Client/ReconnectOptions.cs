namespace Ash.Client;

/// <summary>How a broken stream is taken up again: by waits that double, each cut short by chance, until one brings an event.</summary>
public sealed record ReconnectOptions
{
    /// <summary>The first wait is at most this long.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>No wait is longer.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>This many attempts in a row without a single new event, and the stream fails. 0 turns reconnecting off.</summary>
    public int MaxAttempts { get; init; } = 12;

    /// <summary>A connection that is silent for this long counts as broken; the server says something every 15 seconds.</summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromSeconds(45);
}
