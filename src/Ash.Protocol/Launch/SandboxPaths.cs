namespace Ash.Protocol.Launch;

/// <summary>Where things are inside every sandbox, on every machine. The CLI keys transcripts by working directory.</summary>
public static class SandboxPaths
{
    public const string Workspace = "/workspace";
    public const string Home = "/home/agent";

    /// <summary>The CLI's configuration and transcripts (<c>CLAUDE_CONFIG_DIR</c>).</summary>
    public const string CliConfig = "/home/agent/.claude";

    public const string Cli = "/opt/ash/claude";
    public const string Bridge = "/opt/ash/ash-bridge";

    /// <summary>The sandbox's own sockets, read-only.</summary>
    public const string Run = "/run/ash";
    public const string HostSocket = "/run/ash/host.sock";
    public const string BrokerSocket = "/run/ash/broker.sock";

    /// <summary>The bridge listens here on 127.0.0.1 and relays to the broker's socket, for programs that only speak TCP.</summary>
    public const int RelayPort = 4180;

    /// <summary>User and group id inside.</summary>
    public const int Uid = 1000;
}
