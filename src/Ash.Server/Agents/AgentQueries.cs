using Ash.Server.Storage;

namespace Ash.Server.Agents;

internal static class AgentQueries
{
    /// <summary>The agent that a tenant calls so: at most one, and never another tenant's.</summary>
    public static IQueryable<AgentRecord> Named(this IQueryable<AgentRecord> agents, string tenantId, string name) =>
        agents.Where(agent => agent.TenantId == tenantId && agent.Name == name);
}
