using Ash.Server.Runners;
using Ash.Server.Warm;

namespace Ash.Server.Sessions;

/// <summary>Makes room for those who wait for a sandbox: ends idle ones, those that were used least recently first.</summary>
/// <remarks>Files stay, so the session's next message wakes it. A session with a turn, a queue or a command is never evicted.</remarks>
internal sealed partial class SandboxEvictor(
    SandboxPlaces places, SessionRuntimes sessions, WarmPool warm, TimeProvider clock, ILogger<SandboxEvictor> logger) : BackgroundService
{
    private const int AtOnce = 4;

    /// <summary>Memory comes back without anybody saying so.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await places.WaitForChangeAsync(stoppingToken);
            places.Grant();
            if (places.Waiting > 0 && !await EvictAsync(Math.Min(places.Waiting, AtOnce)))
            {
                _ = LookAgainAsync(stoppingToken);
            }
        }
    }

    /// <returns>Whether any was evicted.</returns>
    internal async Task<bool> EvictAsync(int count)
    {
        if (await warm.MakeRoomAsync(count) is > 0 and var spared && (count -= spared) <= 0)
        {
            return true;
        }

        var oldest = sessions.All
            .Where(session => session.IsEvictable)
            .OrderBy(session => session.Status == Storage.SessionStatus.Paused ? 0 : 1)
            .ThenBy(session => session.LastActiveAt)
            .Take(count)
            .ToList();
        return (await Task.WhenAll(oldest.Select(TryEvictAsync))).Contains(true);
    }

    private async Task<bool> TryEvictAsync(SessionRuntime session)
    {
        try
        {
            return await session.TryEvictAsync();
        }
#pragma warning disable CA1031 // One session must not keep the others from making room.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogEvictFailed(failure, session.Id);
            return false;
        }
    }

    private async Task LookAgainAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(Patience, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        places.NoteChange();
    }

    [LoggerMessage(LogLevel.Warning, "Could not evict the idle session {SessionId}")]
    private partial void LogEvictFailed(Exception failure, Guid sessionId);
}
