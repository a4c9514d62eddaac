using Ash.Server.Configuration;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>
/// Pauses sessions that have had no turn for a while, so that their sandboxes can serve others, and lets go of those that
/// have no sandbox any more, so that memory does not grow with every session that was ever touched.
/// </summary>
internal sealed partial class IdleSessionSweeper(
    SessionRuntimes runtimes, IGrainFactory grains, ServerSettings settings, TimeProvider clock, ILogger<IdleSessionSweeper> logger)
    : BackgroundService
{
    private static readonly TimeSpan MaxInterval = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan MemoryTime = TimeSpan.FromMinutes(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pauses = settings.IdleTimeout > TimeSpan.Zero;
        var interval = pauses && settings.IdleTimeout / 2 < MaxInterval ? settings.IdleTimeout / 2 : MaxInterval;
        using var timer = new PeriodicTimer(interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (pauses)
            {
                await SweepAsync();
            }

            foreach (var session in runtimes.All.Where(session => session.IsForgettable(clock.GetUtcNow() - MemoryTime)))
            {
                await grains.GetGrain<ISessionGrain>(session.Id).ReleaseAsync();
            }
        }
    }

    internal async Task SweepAsync()
    {
        var cutoff = clock.GetUtcNow() - settings.IdleTimeout;
        foreach (var session in runtimes.All)
        {
            try
            {
                await session.PauseIfIdleAsync(cutoff);
            }
            catch (StoreException failure)
            {
                // One session that cannot be stored must not keep the others awake; the next sweep tries it again.
                LogSweepFailed(failure, session.Id);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Could not pause the idle session {SessionId}")]
    private partial void LogSweepFailed(Exception failure, Guid sessionId);
}
