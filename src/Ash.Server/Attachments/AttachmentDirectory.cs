using Ash.Protocol.Api;
using Ash.Runner.Workspaces;
using Ash.Server.Files;
using Ash.Server.Http;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Attachments;

/// <summary>Keeps attachments, finds them, and removes them with their copies.</summary>
internal sealed class AttachmentDirectory(
    IDbContextFactory<AshDbContext> contexts, StoreWriter writer, AttachmentFiles files, SessionWorkspaces workspaces)
{
    private const int MaxPlaces = 1000;

    /// <summary>Keeps an attachment whose bytes were written, and puts a copy of them where the agent finds it.</summary>
    /// <param name="attachment">Gets the copy's place.</param>
    /// <param name="workspace">Of its session.</param>
    /// <param name="file">Made by <see cref="AttachmentFiles.Make"/>.</param>
    /// <returns>False where the session has ended meanwhile, or is gone: nothing is kept.</returns>
    public async Task<bool> AddAsync(AttachmentRecord attachment, SessionWorkspace workspace, FileStream file)
    {
        if (!files.TryKeep(attachment.SessionId, attachment.Id, file))
        {
            return false;
        }

        var isKept = false;
        try
        {
            attachment.WorkspacePath = await CopyAsync(attachment, workspace.Files, file);
            isKept = await writer.WriteAsync(Durability.Power, transaction =>
            {
                var db = transaction.Db;
                if (!db.Sessions.Any(session => session.Id == attachment.SessionId && session.Status != SessionStatus.Ended))
                {
                    return false;
                }

                db.Attachments.Add(attachment);
                db.SaveChanges();
                return true;
            });
            return isKept;
        }
        finally
        {
            if (!isKept)
            {
                files.Remove(attachment.SessionId, attachment.Id);
                RemoveCopy(attachment, workspace.Files);
            }
        }
    }

    public async Task<AttachmentRecord?> FindAsync(string tenantId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Attachments.SingleOrDefaultAsync(a => a.Id == id && a.TenantId == tenantId, cancellationToken);
    }

    /// <summary>A session's, the oldest first.</summary>
    public async Task<Listed<AttachmentInfo>> ListAsync(Guid sessionId, ListPage page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var stored = await page.ReadAsync(
            db.Attachments
                .Where(attachment => attachment.SessionId == sessionId)
                .OrderBy(attachment => attachment.CreatedAt)
                .ThenBy(attachment => attachment.Id),
            cancellationToken);
        return stored.Select(Describe);
    }

    /// <summary>Removes an attachment, and its copy unless somebody has changed that.</summary>
    public async Task RemoveAsync(AttachmentRecord attachment, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var session = await db.Sessions.SingleOrDefaultAsync(session => session.Id == attachment.SessionId, cancellationToken);
        await writer.WriteAsync(Durability.Power, transaction => transaction.Db.Attachments
            .Where(row => row.Id == attachment.Id)
            .ExecuteDelete());
        files.Remove(attachment.SessionId, attachment.Id);
        if (session is not null && workspaces.Open(session) is { } opened)
        {
            using var workspace = opened;
            RemoveCopy(attachment, workspace.Files);
        }
    }

    public static AttachmentInfo Describe(AttachmentRecord attachment) => new()
    {
        Id = attachment.Id,
        TenantId = attachment.TenantId,
        MessageId = attachment.MessageId?.ToString() ?? "unlinked",
        SessionId = attachment.SessionId,
        Filename = attachment.Filename,
        MimeType = attachment.MimeType,
        Size = attachment.Size,
        CreatedAt = attachment.CreatedAt,
        WorkspacePath = attachment.WorkspacePath,
    };

    /// <returns>Where it is; null where the agent has made it impossible.</returns>
    private static async Task<string?> CopyAsync(AttachmentRecord attachment, WorkspaceFiles workspace, FileStream file)
    {
        using var staging = workspace.Stage();
        using var copy = staging.Make();
        file.Position = 0;
        await file.CopyToAsync(copy.Content);
        File.SetLastWriteTimeUtc(copy.Content.SafeFileHandle, attachment.CreatedAt.UtcDateTime);
        foreach (var place in AttachmentName.Places(attachment.Filename).Take(MaxPlaces))
        {
            // A long name has no room for a number.
            if (WorkspacePath.Normalize(place) is not { } path)
            {
                return null;
            }

            switch (workspace.Place(staging, copy, path, replaces: false))
            {
                case null:
                    return path;
                case ConfinedFolders.NameIsTaken:
                    break;
                default:
                    return null;
            }
        }

        return null;
    }

    private static void RemoveCopy(AttachmentRecord attachment, WorkspaceFiles workspace)
    {
        if (attachment.WorkspacePath is not { } path)
        {
            return;
        }

        using var copy = workspace.OpenRead(path, out _);
        if (copy is not null
            && RandomAccess.GetLength(copy) == attachment.Size
            && File.GetLastWriteTimeUtc(copy) == attachment.CreatedAt.UtcDateTime)
        {
            workspace.Remove(path);
        }
    }
}
