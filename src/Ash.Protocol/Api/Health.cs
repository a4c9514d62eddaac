namespace Ash.Protocol.Api;

public sealed record HealthInfo
{
    public required string Status { get; init; }
    public required string Version { get; init; }
    public required string CoordinatorId { get; init; }
    public required int ActiveSessions { get; init; }
    public required int ActiveSandboxes { get; init; }
    public required int RemoteRunners { get; init; }

    /// <summary>Seconds since the start.</summary>
    public required double Uptime { get; init; }

    public required PoolInfo Pool { get; init; }

    /// <summary><c>claude</c> or <c>scripted</c>.</summary>
    public string? Model { get; init; }
}

public sealed record PoolInfo
{
    public int Total { get; init; }
    public int Cold { get; init; }
    public int Warming { get; init; }
    public int Warm { get; init; }
    public int Waiting { get; init; }
    public int Running { get; init; }
    public int MaxCapacity { get; init; }
    public int ResumeWarmHits { get; init; }
    public int ResumeColdHits { get; init; }
    public int PreWarmHits { get; init; }
}

/// <param name="Ready">Whether requests can be served in full.</param>
/// <param name="Missing">What is missing, each with its remedy.</param>
public sealed record ReadinessInfo(bool Ready, IReadOnlyList<string> Missing);
