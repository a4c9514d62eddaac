using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Ash.Protocol.Api;
using Ash.Runner.Sandboxes;
using Ash.Runner.Workspaces;
using Ash.Server.Agents;
using Ash.Server.Credentials;
using Ash.Server.Events;
using Ash.Server.Http;
using Ash.Server.Runners;
using Ash.Server.Storage;
using Ash.Server.Warm;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Creates sessions, finds them, and lists them.</summary>
internal sealed partial class SessionDirectory(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    WorkspaceStore workspaces,
    AgentContentStore contents,
    SessionRuntimes runtimes,
    IGrainFactory grains,
    SessionFactory factory,
    SealedSessions sealedSessions,
    SessionForks forks,
    SessionRemoval removal,
    SessionCredentials credentials,
    SandboxUids uids,
    WarmSandboxes warm,
    PoolCounters counters,
    ILogger<SessionDirectory> logger)
{
    private const string CreateScope = "create";

    /// <summary>The sessions that are being started, so that a repeated request waits for the first instead of starting it too.</summary>
    private readonly ConcurrentDictionary<Guid, Lazy<Task<CreateSession>>> _starting = new();

    public ISessionGrain Grain(Guid id) => grains.GetGrain<ISessionGrain>(id);

    /// <summary>A tenant's session, to be read only, or null; the same for another tenant's as for none.</summary>
    /// <remarks>From memory where it is at work: every request for a session begins here.</remarks>
    public async ValueTask<SessionRecord?> FindAsync(string tenantId, Guid id, CancellationToken cancellationToken)
    {
        if (runtimes.TryFind(id, out var runtime))
        {
            return runtime.TenantId == tenantId ? runtime.Record : null;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Sessions.SingleOrDefaultAsync(session => session.Id == id && session.TenantId == tenantId, cancellationToken);
    }

    /// <summary>How the session stands now: from memory where it is at work, else from the store.</summary>
    public async Task<SessionInfo?> DescribeAsync(string tenantId, Guid id, CancellationToken cancellationToken)
    {
        if (runtimes.TryFind(id, out var runtime) && runtime.TenantId == tenantId)
        {
            return runtime.Describe();
        }

        return await FindAsync(tenantId, id, cancellationToken) is { } stored ? SessionView.Describe(stored, turn: null) : null;
    }

    /// <summary>A tenant's sessions, newest first, and, where that is wanted, how many there are.</summary>
    public async Task<Listed<SessionInfo>> ListAsync(string tenantId, SessionPage page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var fitting = db.Sessions.Where(session => session.TenantId == tenantId
            && (page.Agent == null || session.AgentName == page.Agent)
            && (page.Status == null || session.Status == page.Status));
        var stored = await page.Part.ReadAsync(
            fitting.OrderByDescending(session => session.CreatedAt).ThenByDescending(session => session.Id).Select(SessionView.Columns),
            cancellationToken);
        return stored.Select(session => runtimes.TryFind(session.Id, out var runtime) ? runtime.Describe() : session);
    }

    /// <summary>Creates a session whose sandbox is up. A failure leaves nothing behind.</summary>
    public async Task<CreateSession> CreateAsync(
        string tenantId, CreateSessionRequest request, IdempotencyKey? key, CancellationToken cancellationToken)
    {
        if (key is not null && await FindRepeatAsync(tenantId, key, cancellationToken) is { } repeated)
        {
            return repeated;
        }

        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.Agents.Named(tenantId, request.Agent).SingleOrDefaultAsync(cancellationToken) is not { } agent)
        {
            return new CreateSession.Refused(Problems.UnknownAgent(request.Agent));
        }

        if (!TryOpen(agent, out var content))
        {
            return new CreateSession.Refused(Problems.MissingContent(agent.Name));
        }

        if (await credentials.CheckAsync(tenantId, request, cancellationToken) is { } unusable)
        {
            return new CreateSession.Refused(unusable);
        }

        var prompt = await PromptVersions.FindActiveAsync(db, agent.Id, cancellationToken);
        SessionRecord session;
        WarmSandbox? claimed = null;
        Insertion? inserted = null;
        try
        {
            session = factory.Make(agent, content.Settings, prompt, request);
            claimed = Claim(session, agent, content.Settings);
            inserted = await InsertAsync(session, key, claimed);
            switch (inserted)
            {
                case Insertion.KeyTaken:
                    // The loser of a race gets the winner's answer.
                    return await FindRepeatAsync(tenantId, key!, cancellationToken) ?? throw new StoreException("A key was taken and is gone.");
                case Insertion.AgentGone:
                    return new CreateSession.Refused(Problems.UnknownAgent(request.Agent));
            }
        }
        catch (SandboxException failure)
        {
            return new CreateSession.Refused(Problems.CreateFailed(failure.Message));
        }
        finally
        {
            if (claimed is not null && inserted != Insertion.Done)
            {
                warm.Return(claimed);
            }

            warm.Want(agent.Id);
        }

        if (claimed is not null)
        {
            counters.CountWarmStart();
        }

        return await StartOnceAsync(session);
    }

    /// <summary>Takes up what an earlier server died over: either the session stands, or nothing is left of it.</summary>
    public Task FinishCreationAsync(SessionRecord session) =>
        session.ParentSessionId is null ? StartOnceAsync(session) : removal.RemoveAsync(session.Id, session.WorkspaceId);

    /// <summary>Makes a session that goes on from where another one of the tenant is.</summary>
    public async Task<CreateSession> ForkAsync(SessionRecord parent, IdempotencyKey? key, CancellationToken cancellationToken)
    {
        var answer = key is null ? null : await forks.FindRepeatAsync(parent.TenantId, parent.Id, key, cancellationToken);
        answer ??= await Grain(parent.Id).ForkAsync(key);
        return answer switch
        {
            ForkSession.Refused(var problem) => new CreateSession.Refused(problem),
            ForkSession.Forked(var id) when await DescribeAsync(parent.TenantId, id, cancellationToken) is { } session =>
                new CreateSession.Created(session),
            _ => new CreateSession.Refused(Problems.UnknownSession),
        };
    }

    private async Task<CreateSession> StartOnceAsync(SessionRecord session)
    {
        // From here on the client's patience does not matter: either the session stands or nothing is left of it.
        var starting = _starting.GetOrAdd(session.Id, _ => new Lazy<Task<CreateSession>>(() => StartAsync(session)));
        try
        {
            return await starting.Value;
        }
        finally
        {
            _starting.TryRemove(new KeyValuePair<Guid, Lazy<Task<CreateSession>>>(session.Id, starting));
        }
    }

    private async Task<CreateSession> StartAsync(SessionRecord session)
    {
        var workspace = session.WorkspaceId!.Value.ToString();
        Problem? problem;
        try
        {
            // It is there already where an earlier server died over this session's start.
            if (!workspaces.Exists(workspace))
            {
                var content = contents.Open(session.ContentHash);
                workspaces.Create(workspace, session.Uid!.Value, content.Path, copyAll: !content.Settings.ReadOnlyContent);
            }

            problem = await Grain(session.Id).StartAsync();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or SandboxException or StoreException)
        {
            problem = Problems.CreateFailed(failure.Message);
        }

        if (problem is null && runtimes.TryFind(session.Id, out var runtime))
        {
            return new CreateSession.Created(runtime.Describe());
        }

        if (await DescribeAsync(session.TenantId, session.Id, CancellationToken.None) is { Status: "stopped" or "ended" } meanwhile)
        {
            // Somebody said so while it started: it stands as they left it.
            return new CreateSession.Created(meanwhile);
        }

        problem = await FindPurgeAsync(session) ?? problem ?? Problems.CreateFailed("the session ended meanwhile");
        LogCreateFailed(session.Id, session.AgentName, problem.Message);
        await Grain(session.Id).EndAsync(purge: true);
        workspaces.Remove(workspace);
        return new CreateSession.Refused(problem);
    }

    private bool TryOpen(AgentRecord agent, [NotNullWhen(true)] out AgentContent? content)
    {
        try
        {
            content = contents.Open(agent.ContentHash);
            return true;
        }
        catch (SandboxException failure)
        {
            LogContentMissing(agent.Name, failure.Message);
            content = null;
            return false;
        }
    }

    /// <summary>Gives the session a sandbox that waits for one of its kind, where there is one.</summary>
    private WarmSandbox? Claim(SessionRecord session, AgentRecord agent, AgentSettings agentSettings)
    {
        if (warm.Count == 0 || warm.TryClaim(agent.Id, factory.SignatureOf(session, agent, agentSettings)) is not { } claimed)
        {
            return null;
        }

        session.Secrets = sealedSessions.SealFor(claimed.Session.Id, session);
        session.Id = claimed.Session.Id;
        session.CliSessionId = claimed.Session.CliSessionId;
        session.WorkspaceId = claimed.Session.WorkspaceId;
        session.Uid = claimed.Session.Uid;
        return claimed;
    }

    /// <summary>Who took the session away while it started, with all that is of it: its agent's deletion or its own; null for nobody.</summary>
    private async Task<Problem?> FindPurgeAsync(SessionRecord session)
    {
        await using var db = await contexts.CreateDbContextAsync();
        return await db.Sessions.AnyAsync(stored => stored.Id == session.Id) ? null
            : await db.Agents.AnyAsync(agent => agent.Id == session.AgentId) ? Problems.SessionEnded
            : Problems.UnknownAgent(session.AgentName);
    }

    private Task<Insertion> InsertAsync(SessionRecord session, IdempotencyKey? key, WarmSandbox? claimed) => writer.WriteAsync(Durability.Power, transaction =>
    {
        var db = transaction.Db;
        if (key is not null && db.IdempotencyKeys.Of(session.TenantId, CreateScope, key.Value).Any())
        {
            return Insertion.KeyTaken;
        }

        if (db.Agents.Where(agent => agent.Id == session.AgentId).Select(agent => agent.Name).SingleOrDefault() is not { } name)
        {
            return Insertion.AgentGone;
        }

        session.AgentName = name;

        if (claimed is not null)
        {
            var sandbox = db.Sandboxes.Single(sandbox => sandbox.Id == claimed.Sandbox.Id);
            sandbox.WorkspaceId = null;
            sandbox.LastFrame = claimed.Sandbox.LastFrame;
        }

        session.Uid ??= uids.Take(db.Sessions, db.Sandboxes);
        db.Sessions.Add(session);
        db.SaveChanges();

        var created = Facts.Created(session.AgentName, session.AgentVersion, session.Model);
        transaction.Append(session.Id, new EventRow(1, null, created.Type, session.CreatedAt, created.Payload), inlinePayload: true);
        if (key is not null)
        {
            TurnStore.Remember(transaction, session.TenantId, CreateScope, key.Value, key.BodyHash, session.Id, session.CreatedAt);
        }

        return Insertion.Done;
    });

    private async Task<CreateSession?> FindRepeatAsync(string tenantId, IdempotencyKey key, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await db.IdempotencyKeys.Of(tenantId, CreateScope, key.Value).SingleOrDefaultAsync(cancellationToken);
        if (found is null)
        {
            return null;
        }

        if (!found.IsOf(key.BodyHash))
        {
            return new CreateSession.Refused(Problems.IdempotencyConflict);
        }

        if (await FindAsync(tenantId, found.TargetId, cancellationToken) is not { } session)
        {
            return null;
        }

        // The first request may still be starting the sandbox: this one gets the same answer when it has it.
        return session.Status == SessionStatus.Starting || _starting.ContainsKey(session.Id)
            ? await StartOnceAsync(session)
            : new CreateSession.Created(await DescribeAsync(tenantId, session.Id, cancellationToken) ?? SessionView.Describe(session, turn: null));
    }

    private enum Insertion
    {
        Done,
        KeyTaken,
        AgentGone,
    }

    [LoggerMessage(LogLevel.Warning, "Agent {AgentName} gets no sessions: {Reason}")]
    private partial void LogContentMissing(string agentName, string reason);

    [LoggerMessage(LogLevel.Warning, "Session {SessionId} of agent {AgentName} could not be created: {Reason}")]
    private partial void LogCreateFailed(Guid sessionId, string agentName, string reason);
}
