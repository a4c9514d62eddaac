using Ash.Runner.Workspaces;
using Ash.Server.Attachments;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Removes all that is stored of a session.</summary>
internal sealed class SessionRemoval(WorkspaceStore workspaces, EventFiles files, AttachmentFiles attachments, StoreWriter writer)
{
    private const int EventsAtOnce = 1000;

    /// <summary>Files first: the row with the uid goes last, so that no uid is used again while a file of it exists.</summary>
    public async Task RemoveAsync(Guid id, Guid? workspaceId)
    {
        if (workspaceId is { } workspace)
        {
            workspaces.Remove(workspace.ToString());
        }

        files.Remove(id);
        attachments.RemoveAll(id);
        while (await writer.WriteAsync(Durability.Process, transaction => transaction.RemoveEvents(id, EventsAtOnce)) == EventsAtOnce)
        {
            // A long log goes in steps: others write in between.
        }

        await writer.WriteAsync(Durability.Power, transaction =>
        {
            var scope = id.ToString();
            transaction.RemoveLogLines(id, kept: 0);
            transaction.Db.Turns.Where(turn => turn.SessionId == id).ExecuteDelete();
            transaction.Db.Attachments.Where(attachment => attachment.SessionId == id).ExecuteDelete();
            transaction.Db.IdempotencyKeys.Where(key => key.Scope == scope).ExecuteDelete();
            transaction.Db.IdempotencyKeys.Where(key => key.TargetId == id).ExecuteDelete();
            transaction.Db.Sessions.Where(session => session.Id == id).ExecuteDelete();
        });

        // One that was being sent may have come in between; from here on none does.
        attachments.RemoveAll(id);
    }
}
