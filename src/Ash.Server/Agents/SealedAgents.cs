using System.Text.Json;
using Ash.Server.Credentials;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Agents;

/// <summary>What of an agent is sealed in the store: its environment and its configuration, which may name servers with their secrets.</summary>
internal sealed class SealedAgents(IDbContextFactory<AshDbContext> contexts, StoreWriter writer, SealedTexts texts) : ISealedRows
{
    /// <summary>The default environment of an agent's sandboxes, as it is now; null where there is none.</summary>
    /// <exception cref="SealedTextException">It cannot be opened.</exception>
    public async Task<IReadOnlyDictionary<string, string>?> FindEnvironmentAsync(Guid agentId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var found = await db.Agents
            .Where(agent => agent.Id == agentId)
            .Select(agent => new { agent.TenantId, agent.Env })
            .SingleOrDefaultAsync(cancellationToken);
        return found?.Env is { } stored ? OpenEnvironment(stored, EnvironmentOf(agentId, found.TenantId)) : null;
    }

    /// <exception cref="SealedTextException">It cannot be opened.</exception>
    public IReadOnlyDictionary<string, string>? OpenEnvironment(AgentRecord agent) =>
        agent.Env is { } stored ? OpenEnvironment(stored, EnvironmentOf(agent)) : null;

    /// <returns>A JSON object, or null.</returns>
    /// <exception cref="SealedTextException">It cannot be opened.</exception>
    public string? OpenConfig(AgentRecord agent) => agent.Config is { } stored ? texts.Open(stored, ConfigOf(agent)) : null;

    /// <summary>Replaces an agent's environment. A variable that is given as it is shown keeps its value.</summary>
    /// <exception cref="SealedTextException">That value cannot be opened.</exception>
    public void SetEnvironment(AgentRecord agent, IReadOnlyDictionary<string, string> env)
    {
        if (env.Values.Contains(AgentView.Hidden) && OpenEnvironment(agent) is { } known)
        {
            env = env.ToDictionary(
                pair => pair.Key,
                pair => pair.Value == AgentView.Hidden && known.TryGetValue(pair.Key, out var value) ? value : pair.Value);
        }

        agent.Env = env.Count == 0 ? null : texts.Seal(JsonSerializer.Serialize(env), EnvironmentOf(agent));
    }

    /// <param name="agent">Whose it is.</param>
    /// <param name="config">A JSON object.</param>
    public void SetConfig(AgentRecord agent, string config) => agent.Config = texts.Seal(config, ConfigOf(agent));

    /// <summary>Gives an agent what another has.</summary>
    /// <exception cref="SealedTextException">It cannot be opened.</exception>
    public void Copy(AgentRecord from, AgentRecord to)
    {
        to.Env = from.Env is { } env ? texts.Seal(texts.Open(env, EnvironmentOf(from)), EnvironmentOf(to)) : null;
        to.Config = from.Config is { } config ? texts.Seal(texts.Open(config, ConfigOf(from)), ConfigOf(to)) : null;
    }

    async Task<IReadOnlyList<Guid>> ISealedRows.FindPlainAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Agents
            .Where(agent => agent.Env != null || agent.Config != null)
            .Where(agent => EF.Functions.Like(agent.Env!, SealedTexts.PlainPattern) || EF.Functions.Like(agent.Config!, SealedTexts.PlainPattern))
            .Select(agent => agent.Id)
            .ToListAsync(cancellationToken);
    }

    Task ISealedRows.SealPlainAsync(Guid id) => writer.WriteAsync(Durability.Power, transaction =>
    {
        if (transaction.Db.Agents.SingleOrDefault(agent => agent.Id == id) is { } agent)
        {
            agent.Env = agent.Env is { } env && SealedTexts.IsPlain(env) ? texts.Seal(env, EnvironmentOf(agent)) : agent.Env;
            agent.Config = agent.Config is { } config && SealedTexts.IsPlain(config) ? texts.Seal(config, ConfigOf(agent)) : agent.Config;
            transaction.Db.SaveChanges();
        }
    });

    async Task<IReadOnlyList<Guid>> ISealedRows.FindStaleAsync(string current, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Agents
            .Where(agent => agent.Env != null || agent.Config != null)
            .Where(agent => !(agent.Env ?? current).StartsWith(current) || !(agent.Config ?? current).StartsWith(current))
            .Select(agent => agent.Id)
            .ToListAsync(cancellationToken);
    }

    Task ISealedRows.SealAnewAsync(Guid id) => writer.WriteAsync(Durability.Power, transaction =>
    {
        if (transaction.Db.Agents.SingleOrDefault(agent => agent.Id == id) is { } agent)
        {
            Copy(agent, agent);
            transaction.Db.SaveChanges();
        }
    });

    private Dictionary<string, string> OpenEnvironment(string stored, SealedPlace place) =>
        JsonSerializer.Deserialize<Dictionary<string, string>>(texts.Open(stored, place))!; // It was one.

    private static SealedPlace EnvironmentOf(AgentRecord agent) => EnvironmentOf(agent.Id, agent.TenantId);

    private static SealedPlace EnvironmentOf(Guid agentId, string tenantId) =>
        new("agent's environment", agentId, tenantId, "set its variables anew");

    private static SealedPlace ConfigOf(AgentRecord agent) =>
        new("agent's configuration", agent.Id, agent.TenantId, "set its entries anew");
}
