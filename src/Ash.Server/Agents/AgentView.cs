using Ash.Protocol.Api;
using Ash.Server.Storage;

namespace Ash.Server.Agents;

/// <summary>How an agent looks from outside.</summary>
internal static class AgentView
{
    public static AgentInfo Describe(AgentRecord agent, AgentContentStore contents) => new()
    {
        Id = agent.Id,
        Name = agent.Name,
        TenantId = agent.TenantId,
        Version = agent.Version,
        Path = contents.PathOf(agent.ContentHash),
        ContentHash = agent.ContentHash,
        Env = AgentEnvironments.Parse(agent.Env)?.ToDictionary(pair => pair.Key, _ => "***"),
        CreatedAt = agent.CreatedAt,
        UpdatedAt = agent.UpdatedAt,
    };
}
