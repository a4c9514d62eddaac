using Ash.Protocol.Api;
using Ash.Server.Http;

namespace Ash.Server.Agents;

/// <summary>How an attempt to deploy ended.</summary>
internal abstract record DeployAgent
{
    private DeployAgent()
    {
    }

    public sealed record Deployed(AgentInfo Agent) : DeployAgent;

    public sealed record Refused(Problem Problem) : DeployAgent;
}
