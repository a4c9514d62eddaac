using System.ComponentModel.DataAnnotations;

namespace Ash.Server.Broker;

/// <summary>What one sandbox may ask of the broker, and how hard the broker tries for it.</summary>
internal sealed class BrokerOptions
{
    public const string Section = "Ash:Broker";

    /// <summary>Simultaneous connections of one sandbox; one more is closed at once.</summary>
    [Range(1, 10_000)]
    public int MaxConnections { get; set; } = 64;

    /// <summary>Connections of one sandbox that are accepted without a pause; then <see cref="ConnectionsPerSecond"/> of them.</summary>
    [Range(1, 100_000)]
    public int ConnectionBurst { get; set; } = 256;

    [Range(1, 100_000)]
    public int ConnectionsPerSecond { get; set; } = 100;

    /// <summary>Requests of one sandbox that are answered without a pause; then <see cref="RequestsPerMinute"/> of them.</summary>
    [Range(1, 100_000)]
    public int RequestBurst { get; set; } = 100;

    [Range(1, 1_000_000)]
    public int RequestsPerMinute { get; set; } = 600;

    /// <summary>A larger body is refused with 413.</summary>
    [Range(1024, 1024L * 1024 * 1024)]
    public long MaxRequestBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>A body up to this size is kept until the model answers, so that the call can be repeated.</summary>
    /// <remarks>
    /// A call with a larger one is sent once; where that fails for a passing reason the answer is not marked final, and the
    /// CLI repeats it.
    /// </remarks>
    [Range(0, 64 * 1024 * 1024)]
    public int MaxReplayBytes { get; set; } = 1024 * 1024;

    /// <summary>All kept bodies together; above it, calls are sent once.</summary>
    [Range(0, 64L * 1024 * 1024 * 1024)]
    public long MaxReplayBytesInAll { get; set; } = 256 * 1024 * 1024;

    /// <summary>How often a call is repeated after a passing failure.</summary>
    [Range(0, 20)]
    public int MaxRetries { get; set; } = 4;

    /// <summary>The wait before the first repetition; it doubles, up to eight seconds. <c>retry-after</c> takes its place.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>No repetition begins later than this after the call came in.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:30:00")]
    public TimeSpan RetryWindow { get; set; } = TimeSpan.FromSeconds(90);

    /// <summary>A call in which no byte moves for this long is given up. The CLI itself waits for ten minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ActivityTimeout { get; set; } = TimeSpan.FromMinutes(15);
}
