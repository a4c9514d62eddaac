using System.Runtime.InteropServices;

namespace Ash.Bridge.Native;

internal static partial class Libc
{
    internal const int NewMountNamespace = 0x00020000;

    internal const nuint MountReadOnly = 1;
    internal const nuint MountNoSetUid = 2;
    internal const nuint MountNoDevices = 4;
    internal const nuint MountNoExecute = 8;
    internal const nuint MountRemount = 32;
    internal const nuint MountBind = 4096;
    internal const nuint MountRecursive = 16384;
    internal const nuint MountPrivate = 1 << 18;

    internal const uint CloseRangeSetCloseOnExec = 4;

    [LibraryImport(Library, EntryPoint = "setsid", SetLastError = true)]
    internal static partial int StartSession();

    [LibraryImport(Library, EntryPoint = "getsid", SetLastError = true)]
    internal static partial int SessionOf(int process);

    [LibraryImport(Library, EntryPoint = "getpid")]
    internal static partial int CurrentProcess();

    [LibraryImport(Library, EntryPoint = "umask")]
    internal static partial int SetFileModeMask(int mask);

    [LibraryImport(Library, EntryPoint = "unshare", SetLastError = true)]
    internal static partial int Unshare(int flags);

    [LibraryImport(Library, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Mount(string? source, string target, string? type, nuint flags, string? data);

    [LibraryImport(Library, EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeDirectory(string path, int mode);

    [LibraryImport(Library, EntryPoint = "chdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeDirectory(string path);

    [LibraryImport(Library, EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int ChangeMode(int descriptor, int mode);

    [LibraryImport(Library, EntryPoint = "fstatvfs", SetLastError = true)]
    internal static unsafe partial int FileSystemOf(int descriptor, byte* result);

    [LibraryImport(Library, EntryPoint = "close_range", SetLastError = true)]
    internal static partial int CloseRange(uint first, uint last, uint flags);

    [LibraryImport(Library, EntryPoint = "setgroups", SetLastError = true)]
    internal static unsafe partial int SetGroups(nuint count, uint* groups);

    [LibraryImport(Library, EntryPoint = "setresgid", SetLastError = true)]
    internal static partial int SetGroup(uint real, uint effective, uint saved);

    [LibraryImport(Library, EntryPoint = "setresuid", SetLastError = true)]
    internal static partial int SetUser(uint real, uint effective, uint saved);
}
