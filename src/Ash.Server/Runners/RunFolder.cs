using System.Text;
using Ash.Server.Storage;

namespace Ash.Server.Runners;

/// <summary>Where the sandboxes' sockets are: in the data folder, or elsewhere where that makes their paths too long.</summary>
/// <remarks>Elsewhere it has the server's id in its name, so that no two servers share it.</remarks>
internal static class RunFolder
{
    /// <summary>A Unix socket's path has at most 107 bytes; a sandbox's needs 26 of them below this folder.</summary>
    private const int MaxBytes = 70;

    private const int ServerIdBytes = 9;

    public static string Of(DataFolder data) =>
        FitsInside(data.Path) ? Inside(data.Path) : Path.Combine(Elsewhere!, data.ServerId); // Checked at start: FindProblem.

    /// <summary>Why sockets cannot be made for this data folder, or null.</summary>
    public static string? FindProblem(string dataDirectory) =>
        FitsInside(dataDirectory) || (Elsewhere is { } root && Encoding.UTF8.GetByteCount(root) + ServerIdBytes <= MaxBytes)
            ? null
            : $"ASH_DATA_DIR: {dataDirectory} is too long for the path of a socket, and XDG_RUNTIME_DIR offers no other place; "
                + $"choose a folder of at most {MaxBytes - "/run".Length} bytes with --data-dir";

    /// <summary>Takes away, as the server stops, what is not inside its data folder. Where sandboxes live on, it stays.</summary>
    public static void RemoveIfUnused(DataFolder data)
    {
        if (FitsInside(data.Path) || !Directory.Exists(Of(data)) || Directory.EnumerateFileSystemEntries(Of(data)).Any())
        {
            return;
        }

        Directory.Delete(Of(data));
    }

    /// <summary>Never a folder that others may make before us, such as one in <c>/tmp</c>.</summary>
    private static string? Elsewhere => Environment.IsPrivilegedProcess
        ? "/run/ash"
        : Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } own ? Path.Combine(own, "ash") : null;

    private static string Inside(string dataDirectory) => Path.Combine(dataDirectory, "run");

    private static bool FitsInside(string dataDirectory) => Encoding.UTF8.GetByteCount(Inside(dataDirectory)) <= MaxBytes;
}
