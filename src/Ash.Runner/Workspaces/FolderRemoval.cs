using Ash.Runner.Kernel;

namespace Ash.Runner.Workspaces;

/// <summary>Removes folders that a hostile program has filled. Nothing may run in them any more.</summary>
/// <remarks>
/// A tree can be deeper than any path is long. So nothing is descended into: a folder's folders are moved up to the top,
/// where each has a short path, before it is removed itself. Links are removed, never followed.
/// </remarks>
internal static class FolderRemoval
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Harmless where there is no such folder.</summary>
    public static void Remove(string path)
    {
        if (FileKinds.Of(path) != FileKind.Folder)
        {
            return;
        }

        var moved = 0;
        var prefix = Guid.NewGuid().ToString("N");
        while (Empty(path, folder => RemoveOne(folder, () => Path.Combine(path, $"{prefix}-{moved++}"))))
        {
        }

        Directory.Delete(path);
    }

    private static void RemoveOne(string folder, Func<string> nextPlace)
    {
        Empty(folder, inner => Directory.Move(inner, nextPlace()));
        Directory.Delete(folder);
    }

    /// <summary>Removes what is in a folder but its folders, which are for the caller.</summary>
    /// <returns>Whether there was anything.</returns>
    private static bool Empty(string folder, Action<string> forFolder)
    {
        // Its owner may have taken the right to look into it away, which matters where we are not root.
        File.SetUnixFileMode(folder, OwnerOnly);
        var any = false;
        foreach (var entry in Directory.EnumerateFileSystemEntries(folder))
        {
            any = true;
            if (FileKinds.Of(entry) == FileKind.Folder)
            {
                forFolder(entry);
            }
            else
            {
                File.Delete(entry);
            }
        }

        return any;
    }
}
