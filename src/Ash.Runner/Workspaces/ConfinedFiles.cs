using System.Runtime.InteropServices;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>Opens files below a folder that a hostile program writes to, as root, and never anything else.</summary>
/// <remarks>
/// The kernel resolves the path in one step and refuses every link and every way out, so nothing can be swapped between a
/// check and a use. Pipes, sockets and devices are not files here, and opening one does not block.
/// </remarks>
internal static class ConfinedFiles
{
    // RESOLVE_NO_XDEV would refuse nothing more: all of a workspace is one mount.
    private const ulong NoMagicLinks = 0x02;
    private const ulong NoLinks = 0x04;
    private const ulong Beneath = 0x08;

    private const int GetFlags = 3;
    private const int SetFlags = 4;

    /// <summary>Null where there is no such plain file below <paramref name="root"/>, whatever is there instead.</summary>
    /// <param name="root">A folder that is trusted up to and including its last part.</param>
    /// <param name="relative">Parts separated by slashes, without <c>..</c>.</param>
    /// <exception cref="IOException">The file is there and cannot be opened.</exception>
    public static FileStream? OpenRead(string root, string relative)
    {
        if (OpenFile(root, relative) is not { } file)
        {
            return null;
        }

        return new FileStream(file, FileAccess.Read);
    }

    /// <summary>Length in bytes; null where <see cref="OpenRead(string, string)"/> would give null.</summary>
    public static long? LengthOf(string root, string relative)
    {
        using var file = OpenFile(root, relative);
        return file is null ? null : RandomAccess.GetLength(file);
    }

    /// <summary>As <see cref="OpenRead(string, string)"/>, below a folder that is open already.</summary>
    public static FileStream? OpenRead(SafeFileHandle root, string relative) =>
        OpenFile(root, relative, out _) is { } file ? new FileStream(file, FileAccess.Read) : null;

    /// <summary>As <see cref="OpenRead(SafeFileHandle, string)"/>, and says what is there.</summary>
    /// <param name="found"><see cref="FileKind.File"/> where it is opened; <see cref="FileKind.Link"/> too where one is on the
    /// way.</param>
    public static SafeFileHandle? OpenFile(SafeFileHandle root, string relative, out FileKind found)
    {
        if (Open(root, relative, Libc.OpenReadOnly | Libc.OpenNonBlocking, out var error) is not { } file)
        {
            found = error switch
            {
                Libc.TooManyLinks => FileKind.Link,
                Libc.NoDevice or Libc.TryAgain => FileKind.Other,
                _ => FileKind.None,
            };
            return null;
        }

        found = FileKinds.Of(file);
        if (found != FileKind.File)
        {
            file.Dispose();
            return null;
        }

        // Nothing to wait for in a plain file, but later reads need not know of the flag.
        Libc.Control(file, SetFlags, Libc.Control(file, GetFlags, 0) & ~Libc.OpenNonBlocking);
        return file;
    }

    /// <summary>
    /// A folder, for its path under <c>/proc/self/fd</c> and as the root of others; null where there is none beneath.
    /// </summary>
    public static SafeFileHandle? OpenFolder(SafeFileHandle root, string relative) =>
        Open(root, relative, Libc.OpenPath | Libc.OpenDirectory, out _);

    /// <summary>A folder whose entries are to be read; null where there is none beneath.</summary>
    /// <param name="relative">Empty for the root itself.</param>
    public static SafeFileHandle? OpenListing(SafeFileHandle root, string relative) =>
        Open(root, relative.Length == 0 ? "." : relative, Libc.OpenReadOnly | Libc.OpenDirectory, out _);

    /// <summary>A folder that is trusted up to and including its last part, as the root of others; null where there is
    /// none.</summary>
    public static SafeFileHandle? OpenRoot(string path)
    {
        var folder = Libc.Open(path, Libc.OpenPath | Libc.OpenDirectory | Libc.OpenNoFollow | Libc.OpenCloseOnExec, 0);
        if (!folder.IsInvalid)
        {
            return folder;
        }

        var error = Marshal.GetLastPInvokeError();
        folder.Dispose();
        return IsAbsence(error) ? null : throw Failure(path, error);
    }

    private static SafeFileHandle? OpenFile(string root, string relative)
    {
        using var folder = OpenRoot(root);
        return folder is null ? null : OpenFile(folder, relative, out _);
    }

    private static SafeFileHandle? Open(SafeFileHandle root, string relative, int flags, out int error)
    {
        var how = new Libc.OpenHow
        {
            Flags = (ulong)(flags | Libc.OpenNoFollow | Libc.OpenCloseOnExec),
            Resolve = Beneath | NoLinks | NoMagicLinks,
        };
        var opened = Libc.OpenBeneath(root, relative, how);
        error = opened.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
        if (error == 0)
        {
            return opened;
        }

        opened.Dispose();
        return IsAbsence(error) ? null : throw Failure(relative, error);
    }

    /// <summary>Among them <see cref="Libc.TryAgain"/>: its owner holds a lease on it, and would have us wait.</summary>
    private static bool IsAbsence(int error) => error is
        Libc.NoEntry or Libc.NotFolder or Libc.TooManyLinks or Libc.CrossesMount or Libc.NoDevice or Libc.NameTooLong
            or Libc.TryAgain;

    private static IOException Failure(string path, int error) =>
        new($"{path} cannot be opened: {Marshal.GetPInvokeErrorMessage(error)}.");
}
