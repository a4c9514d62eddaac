namespace Ash.Protocol.Bridge;

/// <summary>The numbers that both ends of the bridge's socket agree on.</summary>
public static class BridgeProtocol
{
    public const int Version = 1;

    /// <summary>A header line, its line end included. Environments and arguments travel in headers.</summary>
    public const int MaxHeaderBytes = 1024 * 1024;

    /// <summary>A line of the CLI, and with it the largest payload.</summary>
    public const int MaxLineBytes = 64 * 1024 * 1024;

    public const int MaxErrorLineBytes = 8 * 1024;

    /// <summary>Frames that wait for an acknowledgement; beyond it the bridge stops reading the CLI.</summary>
    public const int MaxUnacknowledgedBytes = 64 * 1024 * 1024;

    /// <summary>For each of the two streams of an executed command.</summary>
    public const int MaxExecOutputBytes = 10 * 1024 * 1024;

    public const int RememberedCommands = 1000;

    /// <summary>A bridge whose server is away for this long ends its sandbox, unless it was told otherwise.</summary>
    public static readonly TimeSpan DefaultOrphanTimeout = TimeSpan.FromMinutes(10);
}
