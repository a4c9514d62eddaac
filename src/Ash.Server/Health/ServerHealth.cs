using Ash.Protocol.Api;
using Ash.Server.Configuration;
using Ash.Server.Runners;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Warm;

namespace Ash.Server.Health;

/// <summary>How the server is. The store is asked by a write, the sandboxes by one real sandbox, remembered for this boot.</summary>
internal sealed class ServerHealth(
    SessionRuntimes sessions, SandboxDirectory sandboxes, StoreWriter writer, SelfTest selfTest, SandboxPlaces places,
    PoolCounters counters,
    WarmSandboxes warm, ServerSettings settings, ServerStart start)
{
    /// <summary>Whoever asks whether the server is ready does not wait much longer.</summary>
    private static readonly TimeSpan StorePatience = TimeSpan.FromSeconds(5);

    /// <summary>This process, among all that there may be.</summary>
    public static string CoordinatorId { get; } = $"{Environment.MachineName}-{Environment.ProcessId}";

    /// <summary>Seconds since the start.</summary>
    public double Uptime => Math.Round(start.Ago.TotalSeconds, 3);

    public int ActiveSessions => sessions.All.Count(static session => session.Status == SessionStatus.Active);

    public HealthInfo Describe()
    {
        var pool = DescribePool();
        return new HealthInfo
        {
            Status = "ok",
            Version = ServerVersion.Text,
            CoordinatorId = CoordinatorId,
            ActiveSessions = ActiveSessions,
            ActiveSandboxes = pool.Total,
            RemoteRunners = 0,
            Uptime = Uptime,
            Pool = pool,
            Model = settings.Model == ModelChoice.Scripted ? "scripted" : "claude",
        };
    }

    public PoolInfo DescribePool()
    {
        var running = sessions.All.Count(static session => session.IsInTurn);
        var owned = sandboxes.Count;
        var waiting = warm.Count;
        return new PoolInfo
        {
            Total = owned + waiting,
            Warm = waiting,
            Running = running,
            Waiting = Math.Max(0, owned - running),
            MaxCapacity = places.Capacity,
            ResumeWarmHits = counters.ResumedWarm,
            ResumeColdHits = counters.ResumedCold,
            PreWarmHits = counters.StartedWarm,
        };
    }

    public async Task<ReadinessInfo> CheckAsync(CancellationToken cancellationToken)
    {
        List<string> missing = [.. await selfTest.ResultAsync(cancellationToken)];
        try
        {
            await writer.WriteAsync(Durability.Process, static transaction => transaction.Touch()).WaitAsync(StorePatience, cancellationToken);
        }
        catch (Exception failure) when (failure is StoreException or ObjectDisposedException)
        {
            missing.Add(settings.Database is { } database
                ? $"store: {failure.Message}; does {database} answer, and is its disk full?"
                : $"store: {failure.Message}; is the disk full?");
        }
        catch (TimeoutException)
        {
            missing.Add($"store: it has not taken a write for {StorePatience.TotalSeconds:0} s; is {settings.Database?.ToString() ?? "the disk"} busy, or hung?");
        }

        return new ReadinessInfo(missing.Count == 0, missing);
    }
}
