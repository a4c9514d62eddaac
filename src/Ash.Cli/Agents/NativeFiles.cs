using System.Runtime.InteropServices;

namespace Ash.Cli.Agents;

/// <summary>What the kernel knows about files and .NET does not tell.</summary>
internal static unsafe partial class NativeFiles
{
    private const int CurrentFolder = -100;
    private const uint TypeMask = 0x1;
    private const int StatxBytes = 256;
    private const int ModeOffset = 28;
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;

    /// <summary>The path without any link in it; null where it leads nowhere.</summary>
    public static string? RealPath(string path)
    {
        var found = RealPath(path, null);

        if (found is null)
        {
            return null;
        }

        try
        {
            return Marshal.PtrToStringUTF8((nint)found);
        }
        finally
        {
            Free(found);
        }
    }

    /// <summary>Whether a path leads to a plain file: no pipe, which would be waited for, and no device.</summary>
    public static bool IsRegular(string path)
    {
        var status = stackalloc byte[StatxBytes];
        return Statx(CurrentFolder, path, 0, TypeMask, status) == 0
            && (*(ushort*)(status + ModeOffset) & FileTypeMask) == RegularFile;
    }

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* RealPath(string path, byte* resolved);

    [LibraryImport("libc", EntryPoint = "free")]
    private static partial void Free(void* memory);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, byte* status);
}
