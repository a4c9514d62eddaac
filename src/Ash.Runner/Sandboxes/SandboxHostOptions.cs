namespace Ash.Runner.Sandboxes;

/// <summary>What a machine's sandboxes need to know of their server. All paths are absolute.</summary>
public sealed record SandboxHostOptions
{
    /// <summary>The server's data folder; not readable for others.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Holds one folder of sockets a sandbox; this server's alone, and short: a socket's path must stay under 100 bytes.</summary>
    public required string RunDirectory { get; init; }

    /// <summary>Made once per data folder; up to 40 letters, digits and dashes. Names the cgroups.</summary>
    public required string ServerId { get; init; }

    /// <summary>The published <c>ash-bridge</c>.</summary>
    public required string BridgeProgram { get; init; }

    /// <summary>The Claude Code CLI.</summary>
    public required string CliProgram { get; init; }

    /// <summary>SHA-256 that <see cref="CliProgram"/> must have, in lower-case hexadecimal.</summary>
    public string CliSha256 { get; init; } = PinnedCli.Sha256;

    /// <summary>Null to look for <c>bwrap</c> on the search path.</summary>
    public string? BubblewrapProgram { get; init; }

    /// <summary>Weaker isolation is only ever chosen by the operator.</summary>
    public IsolationLevel Isolation { get; init; } = IsolationLevel.Full;

    /// <summary>How long a start may take, from the launcher's start to the bridge's hello.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Host user of the self-test's sandbox.</summary>
    public int SelfTestUid { get; init; } = 1_899_999_999;
}
