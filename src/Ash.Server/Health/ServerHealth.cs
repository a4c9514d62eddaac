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

    public HealthInfo Describe()
    {
        var running = sessions.All.Count(static session => session.IsInTurn);
        var owned = sandboxes.Count;
        var waiting = warm.Count;
        return new HealthInfo
        {
            Status = "ok",
            Version = ServerVersion.Text,
            CoordinatorId = $"{Environment.MachineName}-{Environment.ProcessId}",
            ActiveSessions = sessions.All.Count(static session => session.Status == SessionStatus.Active),
            ActiveSandboxes = owned + waiting,
            RemoteRunners = 0,
            Uptime = Math.Round(start.Ago.TotalSeconds, 3),
            Pool = new PoolInfo
            {
                Total = owned + waiting,
                Warm = waiting,
                Running = running,
                Waiting = Math.Max(0, owned - running),
                MaxCapacity = places.Capacity,
                ResumeWarmHits = counters.ResumedWarm,
                ResumeColdHits = counters.ResumedCold,
                PreWarmHits = counters.StartedWarm,
            },
            Model = settings.Model == ModelChoice.Scripted ? "scripted" : "claude",
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
