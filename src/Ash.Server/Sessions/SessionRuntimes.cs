using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>The runtimes of the sessions that this silo owns. Grains open and close them; readers only look up.</summary>
internal sealed class SessionRuntimes(
    SessionServices services,
    IDbContextFactory<AshDbContext> contexts,
    EventFiles files,
    SessionRemoval removal,
    BootRecord boot)
{
    private readonly ConcurrentDictionary<Guid, SessionRuntime> _open = new();

    /// <summary>Agents that were given another name since the start: whoever read the old one meanwhile finds the new one here.</summary>
    private readonly ConcurrentDictionary<Guid, string> _renamed = new();

    public IEnumerable<SessionRuntime> All => _open.Values;

    /// <summary>An agent is called something else from now on; its sessions are told.</summary>
    public void RenameAgent(Guid agentId, string name)
    {
        _renamed[agentId] = name;
        foreach (var runtime in All.Where(runtime => runtime.Record.AgentId == agentId))
        {
            runtime.Record.AgentName = name;
        }
    }

    public bool TryFind(Guid id, [NotNullWhen(true)] out SessionRuntime? runtime) => _open.TryGetValue(id, out runtime);

    /// <summary>Brings a session up with what an earlier server left of it; null where there is no such session.</summary>
    public async Task<SessionRuntime?> OpenAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.Sessions.SingleOrDefaultAsync(session => session.Id == id, cancellationToken) is not { } session)
        {
            return null;
        }

        var head = await services.Events.FindHeadAsync(id, cancellationToken);
        var sandboxes = await db.Sandboxes.Where(sandbox => sandbox.SessionId == id).ToListAsync(cancellationToken);
        var runtime = new SessionRuntime(session, head, services, files);
        _open[id] = runtime;
        session.AgentName = _renamed.GetValueOrDefault(session.AgentId, session.AgentName);
        try
        {
            foreach (var stale in sandboxes.OrderByDescending(sandbox => sandbox.CreatedAt).Skip(1))
            {
                await services.Starter.DiscardAsync(stale, cancellationToken);
            }

            await runtime.RecoverAsync(sandboxes.MaxBy(sandbox => sandbox.CreatedAt), boot.PowerWasLost);
            return runtime;
        }
        catch
        {
            await CloseAsync(runtime);
            throw;
        }
    }

    /// <summary>Lets go of a session that its grain no longer owns; what runs in its sandbox runs on.</summary>
    public async Task CloseAsync(SessionRuntime runtime)
    {
        await runtime.DisposeAsync();
        _open.TryRemove(new KeyValuePair<Guid, SessionRuntime>(runtime.Id, runtime));
    }

    /// <summary>Removes files and rows of an ended session, and ends the streams of whoever still watches it.</summary>
    public async Task PurgeAsync(SessionRuntime runtime)
    {
        await CloseAsync(runtime);
        using (var watched = services.Tails.Acquire(runtime.Id))
        {
            watched.Tail.Complete();
        }

        await removal.RemoveAsync(runtime.Id, await FindWorkspaceAsync(runtime.Id));
    }

    private async Task<Guid?> FindWorkspaceAsync(Guid id)
    {
        await using var db = await contexts.CreateDbContextAsync();
        return await db.Sessions.Where(session => session.Id == id).Select(session => session.WorkspaceId).SingleOrDefaultAsync();
    }
}
