using Ash.Runner.Sandboxes;

namespace Ash.Runner.Bubblewrap;

/// <summary>What a sandbox can see: the security policy, from which <see cref="BubblewrapArguments"/> are made.</summary>
internal sealed record SandboxProfile
{
    /// <summary>The host's programs and libraries.</summary>
    public required HostRoot Root { get; init; }

    public required SandboxLimits Limits { get; init; }

    /// <summary>Source of <c>/etc</c>'s few own files: <c>passwd</c>, <c>group</c>, <c>nsswitch.conf</c>, <c>hosts</c>.</summary>
    public required string Etc { get; init; }

    public required string Workspace { get; init; }

    public required string Home { get; init; }

    /// <summary>Source of the folder with the sandbox's sockets.</summary>
    public required string Run { get; init; }

    public required string Cli { get; init; }

    public required string Bridge { get; init; }

    /// <summary>What lies read-only over the workspace; null where the agent opted out.</summary>
    public required AgentContent? Content { get; init; }
}

/// <summary>Sources of what an agent may not change, each of its own kind: a file, a folder, a file.</summary>
internal sealed record AgentContent(string Instructions, string Settings, string McpServers);
