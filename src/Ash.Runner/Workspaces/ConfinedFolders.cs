using System.Runtime.InteropServices;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>Changes the folders below one that a hostile program writes to, as root, and never anything else.</summary>
/// <remarks>
/// Each step goes from an open folder to a name in it, so that nothing that is renamed or swapped meanwhile leads out. What is
/// written lies in a folder of ours first and is moved to its place in one step.
/// </remarks>
internal static class ConfinedFolders
{
    /// <summary>Why something was not moved that was to replace nothing.</summary>
    public const string NameIsTaken = "There is something of this name";

    public const uint DefaultMode = 0b111_101_101;

    /// <summary>One is enough, unless somebody swaps what is there meanwhile; that is not waited for.</summary>
    private const int MaxAttempts = 8;

    /// <summary>Opens a folder beneath, making what is missing of its path.</summary>
    /// <param name="root">Where the path begins.</param>
    /// <param name="relative">Names separated by slashes; empty for the root itself.</param>
    /// <param name="owner">Host user of what is made; null where it is ours.</param>
    /// <param name="replaces">Whether a link or a file on the way gives place to a folder.</param>
    /// <param name="obstacle">The path of what is on the way and no folder.</param>
    /// <returns>Null where there is an obstacle.</returns>
    /// <exception cref="IOException">A folder cannot be made.</exception>
    public static SafeFileHandle? OpenOrMake(
        SafeFileHandle root, string relative, uint? owner, bool replaces, out string? obstacle)
    {
        obstacle = null;
        var folder = ConfinedFiles.OpenFolder(root, ".");
        for (var start = 0; folder is not null && start < relative.Length;)
        {
            var end = relative.IndexOf('/', start) is >= 0 and var slash ? slash : relative.Length;
            using var above = folder;
            folder = OpenOrMakeOne(above, relative[start..end], DefaultMode, owner, replaces);
            obstacle = folder is null ? relative[..end] : null;
            start = end + 1;
        }

        return folder;
    }

    /// <summary>The same for a folder with a mode of its own; one that is there already keeps its own.</summary>
    /// <returns>Null where something else has the name, or takes it again and again.</returns>
    public static SafeFileHandle? OpenOrMakeOne(SafeFileHandle above, string name, uint mode, uint? owner, bool replaces)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (ConfinedFiles.OpenFolder(above, name) is { } there)
            {
                return there;
            }

            if (Libc.MakeFolderAt(above, name, mode) == 0)
            {
                Give(above, name, owner);
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Libc.Exists when replaces:
                    Libc.UnlinkAt(above, name, flags: 0);
                    break;
                case Libc.Exists:
                    // Made by somebody else just now, or no folder.
                    return ConfinedFiles.OpenFolder(above, name);
                case Libc.NoEntry:
                    return null;
                case var error:
                    throw Failure(name, error);
            }
        }

        return null;
    }

    /// <summary>Moves a file or a link to its place.</summary>
    /// <param name="replaces">Whether it takes the place of another file or link of this name; the change is one step.</param>
    /// <returns>Why it could not be, in words for a user; null where it is done.</returns>
    /// <exception cref="IOException">The file system does not take it.</exception>
    public static string? Move(SafeFileHandle from, string name, SafeFileHandle into, string newName, bool replaces)
    {
        if (Libc.RenameAt(from, name, into, newName, replaces ? 0 : Libc.RenameNoReplace) == 0)
        {
            return null;
        }

        return Marshal.GetLastPInvokeError() switch
        {
            Libc.Exists when !replaces => NameIsTaken,
            Libc.IsFolder or Libc.NotEmpty or Libc.Exists => "There is a folder of this name",
            Libc.NoEntry => "Its folder was removed meanwhile",
            var error => throw Failure(newName, error),
        };
    }

    /// <summary>Only what was just made is given away: by name, so it may have been swapped, but it leads nowhere.</summary>
    private static void Give(SafeFileHandle above, string name, uint? owner)
    {
        if (owner is { } uid)
        {
            Libc.ChangeOwnerAt(above, name, uid, uid, Libc.AtSymlinkNoFollow);
        }
    }

    private static IOException Failure(string name, int error) =>
        new($"{name} cannot be written: {Marshal.GetPInvokeErrorMessage(error)}.");
}
