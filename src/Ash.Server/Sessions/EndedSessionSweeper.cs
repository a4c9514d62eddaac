using Ash.Runner.Workspaces;
using Ash.Server.Attachments;
using Ash.Server.Configuration;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Removes the files of sessions that ended long enough ago, and keys that nobody repeats any more.</summary>
internal sealed partial class EndedSessionSweeper(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    WorkspaceStore workspaces,
    AttachmentFiles attachments,
    ServerSettings settings,
    TimeProvider clock,
    ILogger<EndedSessionSweeper> logger) : Sweeper(TimeSpan.FromMinutes(1), clock)
{
    private static readonly TimeSpan KeyLifetime = TimeSpan.FromHours(24);

    internal override async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = Clock.GetUtcNow();
        var cutoff = now - settings.EndedRetention;
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var expired = await db.Sessions
            .Where(session => session.WorkspaceId != null && session.EndedAt <= cutoff)

            // Its sandbox may still be going down: until that is gone it uses the files and the uid.
            .Where(session => !db.Sandboxes.Any(sandbox => sandbox.SessionId == session.Id))
            .Select(session => new { session.Id, WorkspaceId = session.WorkspaceId!.Value })
            .ToListAsync(cancellationToken);

        foreach (var session in expired)
        {
            try
            {
                // The files first: with the row's uid goes the claim on it.
                attachments.RemoveAll(session.Id);
                workspaces.Remove(session.WorkspaceId.ToString());
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // One folder that cannot be removed must not keep the others.
                LogRemovalFailed(failure, session.Id);
                continue;
            }

            await writer.WriteAsync(Durability.Process, transaction => transaction.Db.Sessions
                .Where(row => row.Id == session.Id)
                .ExecuteUpdate(row => row.SetProperty(s => s.WorkspaceId, (Guid?)null).SetProperty(s => s.Uid, (int?)null)));
            LogRemoved(session.Id);
        }

        var oldest = now - KeyLifetime;
        await writer.WriteAsync(Durability.Process, transaction => transaction.Db.IdempotencyKeys
            .Where(key => key.CreatedAt < oldest)
            .ExecuteDelete());
    }

    [LoggerMessage(LogLevel.Information, "Removed the files of session {SessionId}, which ended long enough ago")]
    private partial void LogRemoved(Guid sessionId);

    [LoggerMessage(LogLevel.Error, "Could not remove the files of the ended session {SessionId}; tried again in a minute")]
    private partial void LogRemovalFailed(Exception failure, Guid sessionId);

    [LoggerMessage(LogLevel.Error, "Could not remove what has expired; tried again in a minute")]
    protected override partial void LogSweepFailed(Exception failure);
}
