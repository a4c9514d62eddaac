namespace Ash.Server.Storage;

/// <summary>A sandbox that was started and is not known to be gone. The server owns it by this row, not as its parent.</summary>
internal sealed class SandboxRecord
{
    /// <summary>Twelve lower-case letters.</summary>
    public required string Id { get; set; }

    /// <summary>Whose it is; of one that waits for its session, the id that the session will have.</summary>
    public Guid SessionId { get; set; }

    /// <summary>The workspace of a sandbox that waits for its session, and goes with it; null once it has one.</summary>
    public Guid? WorkspaceId { get; set; }
    public SandboxState State { get; set; }
    public int Uid { get; set; }

    /// <summary>SHA-256 of the token its model calls carry.</summary>
    public required byte[] TokenHash { get; set; }

    /// <summary>Number of the newest bridge frame whose effects are stored.</summary>
    public long LastFrame { get; set; }

    /// <summary>Which start of the CLI (1, 2 …) was last asked for.</summary>
    public int CliProcess { get; set; }

    /// <summary>What of its start flags a session or a message chooses.</summary>
    public string? CliFlags { get; set; }

    public int LauncherPid { get; set; }
    public long LauncherStart { get; set; }
    public int BridgePid { get; set; }
    public long BridgeStart { get; set; }
    public string? BootId { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
}

internal enum SandboxState
{
    /// <summary>The row was written; its processes may or may not exist.</summary>
    Starting,
    Live,
}
