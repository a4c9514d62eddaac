using Ash.Runner.Workspaces;
using Ash.Server.Attachments;
using Ash.Server.Credentials;
using Ash.Server.Events;
using Ash.Server.Http;
using Ash.Server.Runners;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Makes a session that goes on from where another one is: its files, its conversation and its log up to the last turn's end.</summary>
/// <remarks>
/// The fork's row comes first, because it holds the host user of its files; until all is there it is nobody's, so that no client
/// finds half a session. What was partial of the log is left out, as it would be after the time for which it is kept.
/// </remarks>
internal sealed partial class SessionForks(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    EventStore events,
    EventFiles eventFiles,
    AttachmentFiles attachmentFiles,
    SealedSessions sealedSessions,
    WorkspaceStore workspaces,
    SessionRemoval removal,
    SandboxUids uids,
    TimeProvider clock,
    ILogger<SessionForks> logger)
{
    private const int RowsAtOnce = 500;

    /// <summary>The owner of a session that is not whole yet.</summary>
    private const string Nobody = "";

    /// <summary>Forks a session that stands still.</summary>
    /// <param name="state">Where it stands.</param>
    /// <param name="key">The client's key, or null.</param>
    public async Task<ForkSession> ForkAsync(ForkedState state, IdempotencyKey? key)
    {
        var parent = state.Session;
        if (parent.WorkspaceId is not { } workspace || !workspaces.Exists(workspace.ToString()))
        {
            return new ForkSession.Refused(Problems.NoWorkspace);
        }

        var fork = RecordOf(parent);
        try
        {
            // For the tenant that it gets once it is whole.
            fork.Secrets = sealedSessions.SealFor(fork.Id, parent);
            await writer.WriteAsync(Durability.Process, transaction =>
            {
                fork.Uid = uids.Take(transaction.Db.Sessions, transaction.Db.Sandboxes);
                transaction.Db.Sessions.Add(fork);
                transaction.Db.SaveChanges();
            });

            var turns = await FindTurnsAsync(parent.Id, fork.Id, state.RunningTurn);
            var transcript = new ForkedTranscript(turns.Ids, state.RunningTurn);
            await Task.Run(() => workspaces.Copy(
                fork.WorkspaceId!.Value.ToString(),
                fork.Uid!.Value,
                workspace.ToString(),
                transcript.Of(parent.CliSessionId),
                CancellationToken.None));
            state.EndStillness();
            await CopyLogAsync(parent.Id, fork.Id, turns);
            var attachments = await CopyAttachmentsAsync(parent.Id, fork);
            if (await TryFinishAsync(parent, fork, turns, attachments, key))
            {
                return new ForkSession.Forked(fork.Id);
            }

            // The same request has been answered meanwhile, or the agent was deleted.
            await removal.RemoveAsync(fork.Id, fork.WorkspaceId);
            return key is not null && await FindRepeatAsync(parent.TenantId, parent.Id, key, CancellationToken.None) is { } repeated
                ? repeated
                : new ForkSession.Refused(Problems.UnknownSession);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or StoreException or SealedTextException)
        {
            LogForkFailed(failure, parent.Id);
            await removal.RemoveAsync(fork.Id, fork.WorkspaceId);
            return new ForkSession.Refused(await FindLossAsync(parent.Id, workspace) ?? Problems.ForkFailed(failure.Message));
        }
    }

    /// <summary>What became of a session that was purged, or whose files were removed, while it was copied; null where it was not.</summary>
    private async Task<Problem?> FindLossAsync(Guid parentId, Guid workspace)
    {
        await using var db = await contexts.CreateDbContextAsync();
        var stored = await db.Sessions.Where(session => session.Id == parentId).Select(session => new { session.Status }).SingleOrDefaultAsync();
        return stored is null ? Problems.UnknownSession
            : stored.Status == SessionStatus.Ended && !Directory.Exists(workspaces.Find(workspace.ToString()).WorkPath) ? Problems.NoWorkspace
            : null;
    }

    /// <summary>What the same request was answered before; null where it is new.</summary>
    public async Task<ForkSession?> FindRepeatAsync(string tenantId, Guid parentId, IdempotencyKey key, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await db.IdempotencyKeys.Of(tenantId, ScopeOf(parentId), key.Value).SingleOrDefaultAsync(cancellationToken);
        return found is null ? null
            : found.IsOf(key.BodyHash) ? new ForkSession.Forked(found.TargetId)
            : new ForkSession.Refused(Problems.IdempotencyConflict);
    }

    private static string ScopeOf(Guid parentId) => $"fork:{parentId}";

    private SessionRecord RecordOf(SessionRecord parent) => new()
    {
        Id = Guid.CreateVersion7(),
        TenantId = Nobody,
        AgentId = parent.AgentId,
        AgentName = parent.AgentName,
        AgentVersion = parent.AgentVersion,
        ContentHash = parent.ContentHash,
        Status = SessionStatus.Starting,
        ParentSessionId = parent.Id,
        WorkspaceId = Guid.CreateVersion7(),

        // The name of the transcript, in a home of its own.
        CliSessionId = parent.CliSessionId,
        Model = parent.Model,
        SystemPrompt = parent.SystemPrompt,
        PermissionMode = parent.PermissionMode,
        Config = parent.Config,
        CredentialId = parent.CredentialId,
        ExposesCredential = parent.ExposesCredential,
        Isolation = parent.Isolation,
        CreatedAt = clock.GetUtcNow(),
        LastActiveAt = clock.GetUtcNow(),
    };

    private async Task<ForkedTurns> FindTurnsAsync(Guid parentId, Guid forkId, Guid? running)
    {
        await using var db = await contexts.CreateDbContextAsync();
        var ended = await db.Turns
            .Where(turn => turn.SessionId == parentId && turn.Status == TurnStatus.Ended && turn.Id != running)
            .ToListAsync();
        var ids = ended.ToDictionary(turn => turn.Id, turn => Guid.CreateVersion7(turn.CreatedAt));
        var pruned = clock.GetUtcNow();
        foreach (var turn in ended)
        {
            (turn.Id, turn.SessionId, turn.DeltasPrunedAt) = (ids[turn.Id], forkId, pruned);
        }

        return new ForkedTurns(ended, ids, ended.Max(turn => turn.CompletedSeq) ?? 0);
    }

    /// <summary>Every row up to the last turn's end that is of no turn, or of one that is forked.</summary>
    private async Task CopyLogAsync(Guid parentId, Guid forkId, ForkedTurns turns)
    {
        var rows = new List<EventRow>(RowsAtOnce);
        await foreach (var row in events.ReadAllAsync(parentId, afterSeq: 0, CancellationToken.None))
        {
            if (row.Seq > turns.LastSeq)
            {
                break;
            }

            if (IsPartial(row) || (row.TurnId is { } turn && !turns.Ids.ContainsKey(turn)))
            {
                continue;
            }

            rows.Add(row with { TurnId = row.TurnId is { } old ? turns.Ids[old] : null });
            if (rows.Count == RowsAtOnce)
            {
                await AppendAsync(forkId, rows);
                rows.Clear();
            }
        }

        await AppendAsync(forkId, rows);
    }

    private async Task AppendAsync(Guid forkId, List<EventRow> rows)
    {
        foreach (var row in rows.Where(row => eventFiles.IsTooLargeForRow(row)))
        {
            await eventFiles.WriteAsync(forkId, row);
        }

        await writer.WriteAsync(Durability.Process, transaction =>
        {
            foreach (var row in rows)
            {
                transaction.Append(forkId, row, inlinePayload: !eventFiles.IsTooLargeForRow(row));
            }
        });
    }

    private static bool IsPartial(in EventRow row) =>
        row.Type == EventType.Cli && CliLine.TryInspect(row.Payload.Span, out var info) && info.IsPartial;

    private async Task<List<AttachmentRecord>> CopyAttachmentsAsync(Guid parentId, SessionRecord fork)
    {
        await using var db = await contexts.CreateDbContextAsync();
        var found = await db.Attachments.Where(attachment => attachment.SessionId == parentId).OrderBy(a => a.CreatedAt).ToListAsync();
        var copied = new List<AttachmentRecord>(found.Count);
        foreach (var attachment in found)
        {
            var id = Guid.CreateVersion7(attachment.CreatedAt);
            if (await attachmentFiles.TryCopyAsync(parentId, attachment.Id, fork.Id, id))
            {
                attachment.Id = id;
                attachment.SessionId = fork.Id;
                copied.Add(attachment);
            }
        }

        return copied;
    }

    /// <summary>Gives the fork to its tenant.</summary>
    /// <returns>False where its key was used meanwhile, or it went with its agent.</returns>
    private Task<bool> TryFinishAsync(
        SessionRecord parent,
        SessionRecord fork,
        ForkedTurns turns,
        List<AttachmentRecord> attachments,
        IdempotencyKey? key) => writer.WriteAsync(Durability.Power, transaction =>
    {
        var db = transaction.Db;
        var scope = ScopeOf(parent.Id);
        if (key is not null && db.IdempotencyKeys.Of(parent.TenantId, scope, key.Value).Any())
        {
            return false;
        }

        var cleared = parent.ClearedAtTurn is { } turn && turns.Ids.TryGetValue(turn, out var forked) ? forked : (Guid?)null;
        var at = clock.GetUtcNow();
        var name = db.Agents.Where(agent => agent.Id == fork.AgentId).Select(agent => agent.Name).SingleOrDefault() ?? fork.AgentName;
        var changed = db.Sessions.Where(session => session.Id == fork.Id).ExecuteUpdate(update => update
            .SetProperty(session => session.TenantId, parent.TenantId)
            .SetProperty(session => session.AgentName, name)
            .SetProperty(session => session.Status, SessionStatus.Paused)
            .SetProperty(session => session.ClearedAtTurn, cleared)
            .SetProperty(session => session.LastActiveAt, at));
        if (changed == 0)
        {
            return false;
        }

        db.Turns.AddRange(turns.Records);
        db.Attachments.AddRange(attachments);
        db.SaveChanges();
        var created = Facts.Created(fork.AgentName, fork.AgentVersion, fork.Model, parent.Id);
        transaction.Append(fork.Id, new EventRow(turns.LastSeq + 1, null, created.Type, at, created.Payload), inlinePayload: true);
        if (key is not null)
        {
            TurnStore.Remember(transaction, parent.TenantId, scope, key.Value, key.BodyHash, fork.Id, at);
        }

        return true;
    });

    /// <summary>The turns that have ended, under new ids: no two turns have the same.</summary>
    /// <param name="Records">As the fork has them.</param>
    /// <param name="Ids">What they are in the fork, by what they are in its parent.</param>
    /// <param name="LastSeq">Where the last of them ends; 0 where there is none.</param>
    private sealed record ForkedTurns(IReadOnlyList<TurnRecord> Records, IReadOnlyDictionary<Guid, Guid> Ids, long LastSeq);

    [LoggerMessage(LogLevel.Warning, "Session {SessionId} could not be forked")]
    private partial void LogForkFailed(Exception failure, Guid sessionId);
}
