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
        var agent = await db.Agents.SingleOrDefaultAsync(agent => agent.Id == agentId, cancellationToken);
        return agent is null ? null : OpenEnvironment(agent);
    }

    /// <exception cref="SealedTextException">It cannot be opened.</exception>
    public IReadOnlyDictionary<string, string>? OpenEnvironment(AgentRecord agent) => agent.Env is { } stored
        ? JsonSerializer.Deserialize<Dictionary<string, string>>(texts.Open(stored, EnvironmentOf(agent)))
        : null;

    /// <returns>A JSON object, or null.</returns>
    /// <exception cref="SealedTextException">It cannot be opened.</exception>
    public string? OpenConfig(AgentRecord agent) => agent.Config is { } stored ? texts.Open(stored, ConfigOf(agent)) : null;

    public void SetEnvironment(AgentRecord agent, IReadOnlyDictionary<string, string> env) =>
        agent.Env = env.Count == 0 ? null : texts.Seal(JsonSerializer.Serialize(env), EnvironmentOf(agent));

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

    private static SealedPlace EnvironmentOf(AgentRecord agent) => new("agent's environment", agent.Id, agent.TenantId);

    private static SealedPlace ConfigOf(AgentRecord agent) => new("agent's configuration", agent.Id, agent.TenantId);
}
