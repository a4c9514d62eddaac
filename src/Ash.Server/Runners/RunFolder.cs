using System.Text;
using Ash.Server.Storage;

namespace Ash.Server.Runners;

/// <summary>Where the sandboxes' sockets are: in the data folder, or elsewhere where that makes their paths too long.</summary>
internal static class RunFolder
{
    /// <summary>A Unix socket's path has at most 107 bytes; a sandbox's needs 26 of them below this folder.</summary>
    private const int MaxBytes = 70;

    public static string Of(DataFolder data)
    {
        var inside = Path.Combine(data.Path, "run");
        if (Encoding.UTF8.GetByteCount(inside) <= MaxBytes)
        {
            return inside;
        }

        var root = Environment.IsPrivilegedProcess
            ? "/run/ash"
            : Path.Combine(Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") ?? "/tmp", "ash");
        return Path.Combine(root, data.ServerId);
    }
}
