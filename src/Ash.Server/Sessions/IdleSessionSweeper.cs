using Ash.Server.Configuration;

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

            await ReleaseAsync();
        }
    }

    internal Task SweepAsync() => ForEachAsync(runtimes.All, session => session.PauseIfIdleAsync(clock.GetUtcNow() - settings.IdleTimeout));

    private Task ReleaseAsync() => ForEachAsync(
        runtimes.All.Where(session => session.IsForgettable(clock.GetUtcNow() - MemoryTime)),
        session => grains.GetGrain<ISessionGrain>(session.Id).ReleaseAsync());

    private async Task ForEachAsync(IEnumerable<SessionRuntime> sessions, Func<SessionRuntime, Task> work)
    {
        foreach (var session in sessions)
        {
            try
            {
                await work(session);
            }
#pragma warning disable CA1031 // One session must not keep the others awake, nor end the server; the next sweep tries it again.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                LogSweepFailed(failure, session.Id);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Could not let go of the idle session {SessionId}; tried again with the next sweep")]
    private partial void LogSweepFailed(Exception failure, Guid sessionId);
}
