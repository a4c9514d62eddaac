using System.Runtime.InteropServices;

namespace Ash.Server.Broker;

internal static partial class SocketFile
{
    private const int KeepGroup = -1;
    private const uint OwnerOnly = 0b110_000_000;

    /// <summary>Removes a socket; it may be gone, with its folder.</summary>
    public static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // The sandbox's folder went first.
        }
    }

    /// <summary>Lets one user connect, and nobody else but root.</summary>
    /// <exception cref="IOException">The kernel refused it.</exception>
    public static void GiveTo(string path, int uid)
    {
        if (ChMod(path, OwnerOnly) != 0)
        {
            throw new IOException($"chmod: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        if (LChown(path, uid, KeepGroup) != 0)
        {
            throw new IOException($"lchown to {uid}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LChown(string path, int owner, int group);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChMod(string path, uint mode);
}
