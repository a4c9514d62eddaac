using System.Collections;
using System.Text;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>Everything below a folder that a hostile program writes to, one folder after the other, in the folders' own
/// order.</summary>
/// <remarks>
/// One folder is open at a time, found by its path from the root on, and no link is followed: there are no cycles, and a folder
/// that is moved or swapped meanwhile is left out. Left out too is what a path cannot name, because it is no UTF-8 or too deep,
/// and what is neither file nor folder nor link.
/// </remarks>
/// <param name="root">Where it begins.</param>
/// <param name="isWanted">Asked for the path of each folder, empty for the root, and a name in it; what is below an unwanted
/// folder is left out with it.</param>
/// <param name="maxEntries">So many names are read at most, wanted or not.</param>
internal sealed class FolderWalk(SafeFileHandle root, Func<string, string, bool> isWanted, int maxEntries)
    : IEnumerable<WorkspaceEntry>
{
    private const int MaxTargetBytes = 4096;

    /// <summary>Of the names of folders whose turn is still to come: a program can make folders faster than they are
    /// read.</summary>
    private const int MaxWaitingLetters = 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>How many names were read.</summary>
    public int Entries { get; private set; }

    /// <summary>Whether there was more than could be read.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The next name in a folder; false after the last.</summary>
    /// <param name="name">Null for one that is no UTF-8.</param>
    public static bool TryReadName(RawFolder folder, out string? name)
    {
        name = null;
        if (!folder.TryReadNext(out var entry, out _))
        {
            return false;
        }

        try
        {
            name = Strict.GetString(entry[..^1]);
        }
        catch (DecoderFallbackException)
        {
            // It has no name outside.
        }

        return true;
    }

    public IEnumerator<WorkspaceEntry> GetEnumerator()
    {
        // With the path above, which all folders in one share: a path may be as long as four thousand names.
        var folders = new Stack<(string Above, string Name, int Depth)>();
        var waiting = 0;
        folders.Push((string.Empty, string.Empty, 0));
        while (folders.TryPop(out var next))
        {
            waiting -= next.Name.Length;
            var folder = WorkspacePath.Join(next.Above, next.Name);
            if (ConfinedFiles.OpenListing(root, folder) is not { } listing)
            {
                continue;
            }

            using var open = new RawFolder(listing, []);
            while (TryReadName(open, out var name))
            {
                if (++Entries > maxEntries || waiting > MaxWaitingLetters)
                {
                    IsCut = true;
                    yield break;
                }

                if (name is null || !isWanted(folder, name) || FileDescription.Of(listing, name) is not { } description)
                {
                    continue;
                }

                var path = WorkspacePath.Join(folder, name);
                if (description.Kind == FileKind.Other
                    || next.Depth == WorkspacePath.MaxDepth
                    || WorkspacePath.Normalize(path) is null)
                {
                    continue;
                }

                var target = description.Kind == FileKind.Link ? TargetOf(listing, name) : null;
                if (target is { Length: 0 })
                {
                    continue;
                }

                if (description.Kind == FileKind.Folder)
                {
                    folders.Push((folder, name, next.Depth + 1));
                    waiting += name.Length;
                }

                yield return new WorkspaceEntry(path, description, target);
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static string TargetOf(SafeFileHandle folder, string name)
    {
        Span<byte> target = stackalloc byte[MaxTargetBytes];
        var length = Libc.ReadLinkAt(folder, name, target, (nuint)target.Length);

        // None where it is gone, or something else by now.
        return length <= 0 ? string.Empty : Encoding.UTF8.GetString(target[..(int)length]);
    }
}
