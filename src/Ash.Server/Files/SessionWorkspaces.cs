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
    /// <exception cref="RefusedRequestException">There is none for this caller.</exception>
    public async ValueTask<SessionWorkspace> OpenAsync(HttpContext context, string id, CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        return found.Problem is { } unknown
            ? throw new RefusedRequestException(unknown)
            : Open(found.Session!) ?? throw new RefusedRequestException(Problems.NoWorkspace); // No problem: there is one.
    }

    /// <summary>The same for writing, which a session that has ended does not allow.</summary>
    /// <exception cref="RefusedRequestException">There is none for this caller, or it is not to be written.</exception>
    public async ValueTask<SessionWorkspace> OpenToWriteAsync(HttpContext context, string id, CancellationToken cancellationToken)
    {
        var workspace = await OpenAsync(context, id, cancellationToken);
        if (workspace.Session.Status == SessionStatus.Ended)
        {
            workspace.Dispose();
            throw new RefusedRequestException(Problems.SessionIs(SessionStatus.Ended));
        }

        return workspace;
    }

    /// <summary>A body may have taken hours to arrive: asked before anything of it is put in its place.</summary>
    /// <exception cref="RefusedRequestException">The session has ended meanwhile, or is gone.</exception>
    public async ValueTask CheckStillOpenAsync(HttpContext context, SessionWorkspace workspace, CancellationToken cancellationToken)
    {
        var session = await sessions.FindAsync(context.Caller.TenantId, workspace.Session.Id, cancellationToken);
        if (session is null or { Status: SessionStatus.Ended })
        {
            throw new RefusedRequestException(session is null ? Problems.UnknownSession : Problems.SessionIs(session.Status));
        }
    }

    /// <summary>Null where the session's files are gone, or not there yet.</summary>
    public SessionWorkspace? Open(SessionRecord session)
    {
        if (session is not { WorkspaceId: { } workspaceId, Uid: { } uid })
        {
            return null;
        }

        var files = workspaces.OpenFiles(workspaceId.ToString(), uid, ReadOnlyContentOf(session), data.Temporary);
        return files is null ? null : new SessionWorkspace(session, files, runtimes.TryFind(session.Id, out var runtime) && runtime.HasSandbox);
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
