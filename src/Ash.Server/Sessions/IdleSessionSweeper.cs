using Ash.Server.Configuration;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>Pauses sessions that have had no turn for a while, so that their sandboxes can serve others.</summary>
internal sealed partial class IdleSessionSweeper(
    SessionRuntimes runtimes, ServerSettings settings, TimeProvider clock, ILogger<IdleSessionSweeper> logger) : BackgroundService
{
    private static readonly TimeSpan MaxInterval = TimeSpan.FromSeconds(60);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.IdleTimeout == TimeSpan.Zero)
        {
            return;
        }

        var interval = settings.IdleTimeout / 2 < MaxInterval ? settings.IdleTimeout / 2 : MaxInterval;
        using var timer = new PeriodicTimer(interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await SweepAsync();
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
