using Ash.Protocol.Api;
using Ash.Server.Credentials;
using Ash.Server.Storage;

namespace Ash.Server.Agents;

/// <summary>How an agent looks from outside.</summary>
internal sealed class AgentView(AgentContentStore contents, SealedAgents agents)
{
    /// <summary>What is shown in the place of a value that may be secret.</summary>
    public const string Hidden = "***";

    public AgentInfo Describe(AgentRecord agent) => new()
    {
        Id = agent.Id,
        Name = agent.Name,
        TenantId = agent.TenantId,
        Version = agent.Version,
        Path = contents.PathOf(agent.ContentHash),
        ContentHash = agent.ContentHash,
        Env = Readable(() => agents.OpenEnvironment(agent))?.ToDictionary(pair => pair.Key, _ => Hidden),
        Config = Readable(() => agents.OpenConfig(agent)) is { } config ? AgentDefaults.Describe(config) : null,
        CreatedAt = agent.CreatedAt,
        UpdatedAt = agent.UpdatedAt,
    };

    /// <summary>What cannot be opened is not shown: the agent can still be found, changed and deleted.</summary>
    private static T? Readable<T>(Func<T?> open)
        where T : class
    {
        try
        {
            return open();
        }
        catch (SealedTextException)
        {
            return null;
        }
    }
}
