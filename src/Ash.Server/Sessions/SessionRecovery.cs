using Ash.Runner.Sandboxes;
using Ash.Server.Configuration;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Brings back at start what an earlier server left at work, and lets go of sessions before the server stops.</summary>
internal sealed partial class SessionRecovery(
    IDbContextFactory<AshDbContext> contexts,
    ISandboxHost host,
    SessionRuntimes runtimes,
    SessionDirectory sessions,
    SandboxStarter starter,
    ServerSettings settings,
    ILogger<SessionRecovery> logger) : IHostedLifecycleService
{
    private List<SessionRecord> _unfinished = [];

    /// <summary>No request is served yet: what is still starting was begun by an earlier server.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        _unfinished = await db.Sessions.Where(session => session.Status == SessionStatus.Starting).ToListAsync(cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Every other service is up, the silo and the sockets included.</summary>
    /// <remarks>Not cut short where the server is told to stop meanwhile: only what has been brought back can be parked.</remarks>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await BringBackAsync(CancellationToken.None);
        await Task.WhenAll(_unfinished.Select(session => TryAsync(session.Id, () => sessions.FinishCreationAsync(session))));
        _unfinished = [];
    }

    private async Task BringBackAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var sandboxes = await db.Sandboxes.ToListAsync(cancellationToken);
        await host.RemoveStrangersAsync(sandboxes.Select(sandbox => sandbox.Id).ToHashSet(), cancellationToken);

        // Those that waited for a session are worth half a second each, and others are started when an agent is used again.
        var unclaimed = sandboxes.Where(sandbox => sandbox.WorkspaceId is not null).ToList();
        sandboxes.RemoveAll(unclaimed.Contains);
        await Task.WhenAll(unclaimed.Select(sandbox => TryAsync(sandbox.SessionId, () => starter.DiscardAsync(sandbox, cancellationToken))));

        var atWork = await db.Turns
            .Where(turn => turn.Status != TurnStatus.Ended)
            .Select(turn => turn.SessionId)
            .Distinct()
            .ToListAsync(cancellationToken);
        var ids = sandboxes.Select(sandbox => sandbox.SessionId).Union(atWork).ToList();
        await Parallel.ForEachAsync(ids, cancellationToken, async (id, _) => await TryAsync(id, sessions.Grain(id).ActivateAsync));
        if (ids.Count > 0)
        {
            LogRecovered(ids.Count);
        }
    }

    private async Task TryAsync(Guid id, Func<Task> work)
    {
        try
        {
            await work();
        }
#pragma warning disable CA1031 // Whatever one session's state leads to, the others are served.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogRecoveryFailed(failure, id);
        }
    }

    /// <summary>Before anything else stops: sandboxes and the store are still there to work with.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var keep = settings.Shutdown == ShutdownMode.Keep;
        await Task.WhenAll(runtimes.All.Select(session => DrainAsync(session, keep, cancellationToken)));
    }

    private async Task DrainAsync(SessionRuntime session, bool keep, CancellationToken cancellationToken)
    {
        try
        {
            await session.DrainAsync(keep).WaitAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is StoreException or SandboxException or IOException or OperationCanceledException)
        {
            // One session that cannot be parked must not keep the others from it; the next server finds its sandbox.
            LogDrainFailed(failure, session.Id);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(LogLevel.Information, "Brought back {Sessions} sessions that were at work")]
    private partial void LogRecovered(int sessions);

    [LoggerMessage(LogLevel.Error, "Session {SessionId} could not be brought back")]
    private partial void LogRecoveryFailed(Exception failure, Guid sessionId);

    [LoggerMessage(LogLevel.Error, "Session {SessionId} could not be parked before the server stops")]
    private partial void LogDrainFailed(Exception failure, Guid sessionId);
}
