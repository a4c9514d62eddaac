using Ash.Runner.Sandboxes;
using Ash.Runner.Workspaces;
using Ash.Server.Access;
using Ash.Server.Agents;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Ash.Server.Storage;

namespace Ash.Server.Files;

/// <summary>Opens the workspaces of sessions for requests. They are the same folders with a sandbox and without one.</summary>
internal sealed class SessionWorkspaces(
    SessionDirectory sessions, SessionRuntimes runtimes, WorkspaceStore workspaces, AgentContentStore contents, DataFolder data)
{
    /// <summary>The workspace of the session that a route names, for reading.</summary>
    public async ValueTask<WorkspaceRoute> OpenAsync(HttpContext context, string id, CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return new WorkspaceRoute(null, unknown);
        }

        return Open(found.Session!) is { } workspace // No problem: there is one.
            ? new WorkspaceRoute(workspace, null)
            : new WorkspaceRoute(null, Problems.NoWorkspace);
    }

    /// <summary>The same for writing, which a session that has ended does not allow.</summary>
    public async ValueTask<WorkspaceRoute> OpenToWriteAsync(HttpContext context, string id, CancellationToken cancellationToken)
    {
        var found = await OpenAsync(context, id, cancellationToken);
        if (found.Workspace is not { Session.Status: SessionStatus.Ended } ended)
        {
            return found;
        }

        ended.Dispose();
        return new WorkspaceRoute(null, Problems.SessionIs(SessionStatus.Ended));
    }

    /// <summary>A body may have taken hours to arrive: asked before anything of it is put in its place.</summary>
    /// <returns>Why it may not be: the session has ended meanwhile, or is gone.</returns>
    public async ValueTask<Problem?> FindObstacleAsync(
        HttpContext context, SessionWorkspace workspace, CancellationToken cancellationToken) =>
        await sessions.FindAsync(context.Caller.TenantId, workspace.Session.Id, cancellationToken) switch
        {
            null => Problems.UnknownSession,
            { Status: SessionStatus.Ended } => Problems.SessionIs(SessionStatus.Ended),
            _ => null,
        };

    /// <summary>Null where the session's files are gone, or not there yet.</summary>
    public SessionWorkspace? Open(SessionRecord session)
    {
        if (session is not { WorkspaceId: { } workspaceId, Uid: { } uid })
        {
            return null;
        }

        var files = workspaces.OpenFiles(workspaceId.ToString(), uid, ReadOnlyContentOf(session), data.Temporary);
        return files is null
            ? null
            : new SessionWorkspace(session, files, runtimes.TryFind(session.Id, out var runtime) && runtime.HasSandbox);
    }

    /// <summary>Where the files are gone from the server, they are read-only all the same, and show nothing.</summary>
    private string? ReadOnlyContentOf(SessionRecord session)
    {
        try
        {
            var content = contents.Open(session.ContentHash);
            return content.Settings.ReadOnlyContent ? content.Path : null;
        }
        catch (SandboxException)
        {
            return contents.PathOf(session.ContentHash);
        }
    }
}
