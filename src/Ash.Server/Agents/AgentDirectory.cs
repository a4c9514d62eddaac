using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Credentials;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Warm;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Agents;

/// <summary>Finds agents, changes what of them is not content, deletes them with their sessions.</summary>
internal sealed partial class AgentDirectory(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    AgentContentStore contents,
    SealedAgents sealedAgents,
    AgentView view,
    SessionDirectory sessions,
    SessionRuntimes runtimes,
    WarmPool warmPool,
    TimeProvider clock,
    ILogger<AgentDirectory> logger)
{
    private readonly Gate _renames = new();

    /// <summary>Changes what of an agent is not content.</summary>
    /// <param name="tenantId">Whose it is.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="change">What is to change, checked; its prompt is not looked at.</param>
    /// <param name="expected">Which state of it is to be changed.</param>
    public async Task<DeployAgent> UpdateAsync(string tenantId, string name, UpdateAgentRequest change, Precondition expected)
    {
        // Sessions in memory get the names of the store in the store's order.
        using var entered = await _renames.EnterAsync();
        var (agent, problem) = await writer.WriteAsync<(AgentRecord?, Problem?)>(Durability.Power, transaction =>
        {
            var db = transaction.Db;
            var agent = db.Agents.Named(tenantId, name).SingleOrDefault();
            if (TryApply(db, agent, expected, change) is { } refused)
            {
                return (null, refused);
            }

            if (agent!.Name != name)
            {
                db.Sessions.Where(session => session.AgentId == agent.Id)
                    .ExecuteUpdate(update => update.SetProperty(session => session.AgentName, agent.Name));
            }

            agent.UpdatedAt = AgentTag.TimeAfter(agent.UpdatedAt, clock);
            db.SaveChanges();
            return (agent, null);
        });
        if (agent is null)
        {
            return new DeployAgent.Refused(problem!); // One of the two is there.
        }

        if (agent.Name != name)
        {
            runtimes.RenameAgent(agent.Id, agent.Name);
        }

        return new DeployAgent.Deployed(view.Describe(agent));
    }

    /// <returns>Why a change would be refused as the agent is now; null where it would not.</returns>
    public async Task<Problem?> CheckAsync(
        string tenantId, string name, UpdateAgentRequest change, Precondition expected, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return TryApply(db, await db.Agents.Named(tenantId, name).SingleOrDefaultAsync(cancellationToken), expected, change);
    }

    public async Task<AgentInfo?> FindAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is { } agent ? view.Describe(agent) : null;

    /// <summary>An agent's configuration, as it is shown; null where there is no such agent.</summary>
    public async Task<JsonElement?> FindConfigAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is { } agent ? AgentDefaults.Describe(sealedAgents.OpenConfig(agent) ?? "{}") : null;

    /// <summary>Where an agent's newest content lies; null where there is no such agent.</summary>
    public async Task<string?> FindContentAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is { } agent ? contents.PathOf(agent.ContentHash) : null;

    public async Task<AgentRecord?> FindRecordAsync(string tenantId, string name, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Agents.Named(tenantId, name).SingleOrDefaultAsync(cancellationToken);
    }

    /// <summary>A tenant's agents, by name.</summary>
    public async Task<Listed<AgentInfo>> ListAsync(string tenantId, ListPage page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var agents = await page.ReadAsync(
            db.Agents.Where(agent => agent.TenantId == tenantId).OrderBy(agent => agent.Name), cancellationToken);
        return agents.Select(view.Describe);
    }

    /// <summary>Deletes an agent, its sessions with all that is theirs, and its content where nobody else has the same.</summary>
    /// <returns>Why it is not deleted; null where it is.</returns>
    public async Task<Problem?> DeleteAsync(string tenantId, string name, Precondition expected, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        if (await db.Agents.Named(tenantId, name).SingleOrDefaultAsync(cancellationToken) is not { } agent)
        {
            return Problems.AgentNotFound;
        }

        if (!expected.Allows(AgentTag.Of(agent)))
        {
            return Problems.PreconditionFailed;
        }

        var ended = 0;
        List<string>? unused = null;
        while (unused is null)
        {
            // A session may be created as long as the agent is there: whatever came in between goes, too.
            ended += await EndSessionsAsync(agent.Id, cancellationToken);
            await warmPool.DropAsync(agent.Id);
            using var entered = await contents.HoldAsync();
            unused = await TryRemoveAsync(agent);
            unused?.ForEach(contents.Remove);
        }

        LogDeleted(name, ended);
        return null;
    }

    /// <returns>How many there were.</returns>
    private async Task<int> EndSessionsAsync(Guid agentId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var ids = await db.Sessions.Where(session => session.AgentId == agentId).Select(session => session.Id).ToListAsync(cancellationToken);
        foreach (var id in ids)
        {
            await sessions.Grain(id).EndAsync(purge: true);
        }

        return ids.Count;
    }

    /// <summary>Removes all rows of an agent that has no sessions.</summary>
    /// <returns>The content that no agent has any more; null where the agent has a session, and stays.</returns>
    private Task<List<string>?> TryRemoveAsync(AgentRecord agent) => writer.WriteAsync(Durability.Power, transaction =>
    {
        var store = transaction.Db;
        if (store.Sessions.Any(session => session.AgentId == agent.Id))
        {
            return null;
        }

        var hashes = store.AgentVersions.Where(version => version.AgentId == agent.Id).Select(version => version.ContentHash).Distinct().ToList();
        store.AgentVersions.Where(version => version.AgentId == agent.Id).ExecuteDelete();
        store.PromptVersions.Where(version => version.AgentId == agent.Id).ExecuteDelete();
        store.Agents.Where(a => a.Id == agent.Id).ExecuteDelete();
        return hashes.Where(hash => !store.AgentVersions.Any(version => version.ContentHash == hash)).ToList();
    });

    /// <summary>Changes a record, which is not saved by this.</summary>
    /// <returns>Why it cannot be changed so; null where it is, and then it is there.</returns>
    private Problem? TryApply(AshDbContext db, AgentRecord? agent, Precondition expected, UpdateAgentRequest change)
    {
        if (agent is null)
        {
            return Problems.AgentNotFound;
        }

        if (!expected.Allows(AgentTag.Of(agent)))
        {
            return Problems.PreconditionFailed;
        }

        if (change.Name is { } newName && newName != agent.Name)
        {
            if (db.Agents.Named(agent.TenantId, newName).Any())
            {
                return Problems.AgentExists(newName);
            }

            agent.Name = newName;
        }

        if (change.Env is { } env)
        {
            sealedAgents.SetEnvironment(agent, env);
        }

        if (change.Config is { } config)
        {
            if (AgentDefaults.Merge(OpenConfigOrNone(agent), config, out var merged) is { } reason)
            {
                return Problems.Invalid(reason);
            }

            sealedAgents.SetConfig(agent, merged);
        }

        return null;
    }

    /// <summary>A configuration that cannot be opened any more is set anew by what is said now.</summary>
    private string? OpenConfigOrNone(AgentRecord agent)
    {
        try
        {
            return sealedAgents.OpenConfig(agent);
        }
        catch (SealedTextException failure)
        {
            LogConfigLost(agent.Name, failure.Message);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The configuration of agent {AgentName} is set anew: {Reason}")]
    private partial void LogConfigLost(string agentName, string reason);

    [LoggerMessage(LogLevel.Information, "Deleted agent {AgentName} with {Sessions} sessions")]
    private partial void LogDeleted(string agentName, int sessions);
}
