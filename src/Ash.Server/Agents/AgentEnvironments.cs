using System.Text.Json;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Agents;

/// <summary>The default environment of an agent's sandboxes, as it is now.</summary>
internal sealed class AgentEnvironments(IDbContextFactory<AshDbContext> contexts)
{
    public async Task<IReadOnlyDictionary<string, string>?> FindAsync(Guid agentId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var env = await db.Agents.Where(agent => agent.Id == agentId).Select(agent => agent.Env).SingleOrDefaultAsync(cancellationToken);
        return Parse(env);
    }

    /// <param name="env">As it is stored, or null.</param>
    public static IReadOnlyDictionary<string, string>? Parse(string? env) =>
        env is null ? null : JsonSerializer.Deserialize<Dictionary<string, string>>(env);

    /// <summary>As it is stored; null where there is none.</summary>
    public static string? Serialize(IReadOnlyDictionary<string, string> env) => env.Count == 0 ? null : JsonSerializer.Serialize(env);
}
