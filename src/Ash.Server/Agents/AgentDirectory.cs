using System.Text.Json;
using Ash.Protocol.Api;
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
    WarmPool warmPool,
    TimeProvider clock,
    ILogger<AgentDirectory> logger)
{
    /// <summary>Changes what of an agent is not content.</summary>
    /// <param name="tenantId">Whose it is.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="change">What is to change, checked; its prompt is not looked at.</param>
    /// <param name="expected">Which state of it is to be changed.</param>
    public async Task<DeployAgent> UpdateAsync(string tenantId, string name, UpdateAgentRequest change, Precondition expected)
    {
        var (agent, problem) = await writer.WriteAsync<(AgentRecord?, Problem?)>(Durability.Power, transaction =>
        {
            var db = transaction.Db;
            if (db.Agents.Named(tenantId, name).SingleOrDefault() is not { } agent)
            {
                return (null, Problems.AgentNotFound);
            }

            if (!expected.Allows(AgentTag.Of(agent)))
            {
                return (null, Problems.PreconditionFailed);
            }

            if (change.Name is { } newName && newName != name)
            {
                if (db.Agents.Named(tenantId, newName).Any())
                {
                    return (null, Problems.AgentExists(newName));
                }

                agent.Name = newName;
                db.Sessions.Where(session => session.AgentId == agent.Id)
                    .ExecuteUpdate(update => update.SetProperty(session => session.AgentName, newName));
            }

            if (change.Env is { } env)
            {
                sealedAgents.SetEnvironment(agent, KeepHidden(env, agent));
            }

            if (change.Config is { } config)
            {
                sealedAgents.SetConfig(agent, AgentDefaults.Merge(sealedAgents.OpenConfig(agent), config));
            }

            agent.UpdatedAt = AgentTag.TimeAfter(agent.UpdatedAt, clock);
            db.SaveChanges();
            return (agent, null);
        });
        if (agent is null)
        {
            return new DeployAgent.Refused(problem!); // One of the two is there.
        }

        sessions.RenameAgent(agent.Id, agent.Name);
        return new DeployAgent.Deployed(view.Describe(agent));
    }

    /// <summary>Whether a tenant has an agent of this name.</summary>
    public async Task<bool> ExistsAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is not null;

    public async Task<AgentInfo?> FindAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is { } agent ? view.Describe(agent) : null;

    /// <summary>What is kept with an agent for its users; null where there is no such agent.</summary>
    public async Task<JsonElement?> FindConfigAsync(string tenantId, string name, CancellationToken cancellationToken) =>
        await FindRecordAsync(tenantId, name, cancellationToken) is { } agent ? JsonElement.Parse(sealedAgents.OpenConfig(agent) ?? "{}") : null;

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

    /// <summary>Who sends an agent back as it was shown does not know its values: they stay.</summary>
    private IReadOnlyDictionary<string, string> KeepHidden(IReadOnlyDictionary<string, string> env, AgentRecord agent)
    {
        if (!env.Values.Contains(AgentView.Hidden) || sealedAgents.OpenEnvironment(agent) is not { } stored)
        {
            return env;
        }

        return env.ToDictionary(
            pair => pair.Key,
            pair => pair.Value == AgentView.Hidden && stored.TryGetValue(pair.Key, out var value) ? value : pair.Value);
    }

    [LoggerMessage(LogLevel.Information, "Deleted agent {AgentName} with {Sessions} sessions")]
    private partial void LogDeleted(string agentName, int sessions);
}
