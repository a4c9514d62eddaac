using Ash.Protocol.Api;
using Ash.Runner.Sandboxes;
using Ash.Server.Agents;
using Ash.Server.Configuration;
using Ash.Server.Credentials;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>Makes sessions as they are before anything of them is stored.</summary>
internal sealed class SessionFactory(
    ISandboxHost host, SealedAgents agents, SealedSessions sessions, ServerSettings settings, TimeProvider clock)
{
    /// <param name="agent">Whose newest version it gets.</param>
    /// <param name="agentSettings">That version's own settings.</param>
    /// <param name="activePrompt">The agent's active prompt version's, or null.</param>
    /// <param name="request">What is asked for, checked; null where nobody has asked yet.</param>
    /// <exception cref="SealedTextException">The agent's configuration cannot be opened.</exception>
    public SessionRecord Make(AgentRecord agent, AgentSettings agentSettings, string? activePrompt, CreateSessionRequest? request = null)
    {
        var id = Guid.CreateVersion7();
        var defaults = AgentDefaults.Parse(agents.OpenConfig(agent));
        var at = clock.GetUtcNow();
        var config = SessionOptions.Of(request, defaults);
        var session = new SessionRecord
        {
            Id = id,
            TenantId = agent.TenantId,
            AgentId = agent.Id,
            AgentName = agent.Name,
            AgentVersion = agent.Version,
            ContentHash = agent.ContentHash,
            Status = SessionStatus.Starting,
            WorkspaceId = Guid.CreateVersion7(),
            CliSessionId = id,
            Model = request?.Model ?? defaults.Model,
            SystemPrompt = request?.SystemPrompt is { Length: > 0 } prompt ? prompt : activePrompt ?? defaults.SystemPrompt,
            PermissionMode = request?.PermissionMode ?? defaults.PermissionMode ?? agentSettings.PermissionMode ?? settings.PermissionMode,
            CredentialId = request?.CredentialId is { } credential ? Guid.Parse(credential) : null,
            ExposesCredential = request?.ExposeCredential == true,
            Config = SessionOptions.ToJson(config),
            Isolation = host.Isolation.ToString().ToLowerInvariant(),
            CreatedAt = at,
            LastActiveAt = at,
        };
        sessions.Set(session, new SessionSecrets
        {
            ExtraEnv = request?.ExtraEnv is { Count: > 0 } extra ? extra : null,
            McpServers = config.McpServers,
        });
        return session;
    }

    /// <inheritdoc cref="CliCommand.Signature"/>
    public string SignatureOf(SessionRecord session, AgentRecord agent, AgentSettings agentSettings) =>
        CliCommand.Signature(session, sessions.Open(session), agents.OpenEnvironment(agent), agentSettings.AppendsSystemPrompt);
}
