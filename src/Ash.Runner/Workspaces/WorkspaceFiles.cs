using System.Runtime.InteropServices;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>The files of a session as its agent sees them, for somebody outside: while the agent runs, and while it does
/// not.</summary>
/// <remarks>
/// The agent may be hostile and may change everything at any moment. Whatever it does, nothing but its workspace is read or
/// written. All paths are normal (<see cref="WorkspacePath.Normalize"/>).
/// </remarks>
internal sealed class WorkspaceFiles : IDisposable
{
    /// <summary>Why a path may not be written: the deployed agent's own files lie read-only over it.</summary>
    public const string ReadOnlyReason = "Read-only: it is part of the deployed agent";

    private readonly SafeFileHandle _work;
    private readonly SafeFileHandle? _content;
    private readonly uint? _owner;
    private readonly string _temporaryRoot;

    private WorkspaceFiles(SafeFileHandle work, SafeFileHandle? content, uint? owner, string temporaryRoot)
    {
        _work = work;
        _content = content;
        _owner = owner;
        _temporaryRoot = temporaryRoot;
    }

    /// <param name="workspace">Where it is.</param>
    /// <param name="contentPath">The deployed folder whose files lie read-only over the workspace; null where they do
    /// not.</param>
    /// <param name="owner">Host user of the workspace; null where it is ours.</param>
    /// <param name="temporaryRoot">A folder of ours on the same file system.</param>
    /// <returns>Null where there is no such workspace.</returns>
    public static WorkspaceFiles? Open(Workspace workspace, string? contentPath, uint? owner, string temporaryRoot)
    {
        if (ConfinedFiles.OpenRoot(workspace.WorkPath) is not { } work)
        {
            return null;
        }

        return new WorkspaceFiles(work, contentPath is null ? null : ConfinedFiles.OpenRoot(contentPath), owner, temporaryRoot)
        {
            HasReadOnlyContent = contentPath is not null,
        };
    }

    private bool HasReadOnlyContent { get; init; }

    /// <summary>Whether a path is, or lies in, what the agent and its users may not change.</summary>
    public bool IsReadOnly(string path) => HasReadOnlyContent && ContentMounts.IsMounted(WorkspacePath.FirstName(path));

    /// <summary>Opens a plain file, without waiting for anything.</summary>
    /// <param name="path">Not empty.</param>
    /// <param name="isThere">Whether there is something of this name, be it a file or not.</param>
    /// <returns>Null where there is no plain file: nothing, a folder, a pipe, or a link anywhere on the way.</returns>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public SafeFileHandle? OpenRead(string path, out bool isThere)
    {
        isThere = false;
        if (RootOf(path) is not { } root)
        {
            return null;
        }

        var file = ConfinedFiles.OpenFile(root, path, out var found);
        isThere = found != FileKind.None;
        return file;
    }

    /// <summary>A folder in which files can be made ready for <see cref="Place"/> and <see cref="Merge"/>.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public StagingFolder Stage() => StagingFolder.Create(_temporaryRoot, _owner);

    /// <summary>Moves a file to its place, making the folders on the way. Whoever reads sees the old file or the new
    /// one.</summary>
    /// <param name="staging">Where it is.</param>
    /// <param name="file">Closed.</param>
    /// <param name="path">Not empty.</param>
    /// <param name="replaces">Whether it takes the place of another; else <see cref="ConfinedFolders.NameIsTaken"/>.</param>
    /// <returns>Why it could not be, in words for a user; null where it is done.</returns>
    /// <exception cref="IOException">The file system does not take it.</exception>
    public string? Place(StagingFolder staging, StagedFile file, string path, bool replaces)
    {
        if (IsReadOnly(path))
        {
            return ReadOnlyReason;
        }

        var (parent, name) = WorkspacePath.Split(path);
        using var folder = ConfinedFolders.OpenOrMake(_work, parent, _owner, replaces: false, out var obstacle);
        return folder is null
            ? $"{obstacle} is not a folder"
            : ConfinedFolders.Move(staging.Root, file.Name, folder, name, replaces);
    }

    /// <summary>Removes a file, or a link and not what it leads to.</summary>
    /// <param name="path">Not empty, and not read-only.</param>
    /// <returns>What was there: <see cref="FileKind.Folder"/> where it is a folder, and stays.</returns>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public FileKind Remove(string path)
    {
        var (parent, name) = WorkspacePath.Split(path);
        using var folder = ConfinedFiles.OpenFolder(_work, parent.Length == 0 ? "." : parent);
        if (folder is null)
        {
            return FileKind.None;
        }

        if (Libc.UnlinkAt(folder, name, flags: 0) == 0)
        {
            return FileKind.File;
        }

        return Marshal.GetLastPInvokeError() switch
        {
            Libc.NoEntry => FileKind.None,
            Libc.IsFolder => FileKind.Folder,
            var error => throw new IOException($"{name} cannot be removed: {Marshal.GetPInvokeErrorMessage(error)}."),
        };
    }

    /// <summary>Everything in the workspace, folders before what is in them.</summary>
    /// <param name="isWanted">As of <see cref="FolderWalk"/>.</param>
    /// <param name="maxEntries">So many names are read at most.</param>
    public WorkspaceListing List(Func<string, string, bool> isWanted, int maxEntries)
    {
        var work = new FolderWalk(
            _work, (folder, name) => !(folder.Length == 0 && IsReadOnly(name)) && isWanted(folder, name), maxEntries);
        var content = _content is null
            ? null
            : new FolderWalk(
                _content, (folder, name) => (folder.Length > 0 || IsReadOnly(name)) && isWanted(folder, name), maxEntries);
        return new WorkspaceListing(content, work);
    }

    /// <summary>Lays everything of a staging folder over the workspace; nothing is removed but what stands in its
    /// place.</summary>
    /// <param name="staging">Nothing is left in it but folders, and what could not be moved.</param>
    /// <param name="left">Gets what could not be moved.</param>
    /// <returns>How many files and links were moved.</returns>
    /// <exception cref="IOException">The file system does not take them.</exception>
    public int Merge(StagingFolder staging, LeftOut left)
    {
        var moved = 0;
        var folders = new Stack<(string Above, string Name)>();
        folders.Push((string.Empty, string.Empty));
        while (folders.TryPop(out var next))
        {
            var path = WorkspacePath.Join(next.Above, next.Name);
            using var from = ConfinedFiles.OpenFolder(staging.Root, path.Length == 0 ? "." : path);
            using var into = ConfinedFolders.OpenOrMake(_work, path, _owner, replaces: true, out _);
            if (from is null || into is null)
            {
                left.Add(path, "It could not be made in the workspace");
                continue;
            }

            foreach (var (name, description) in NamesIn(from))
            {
                if (description.Kind == FileKind.Folder)
                {
                    using var made = ConfinedFolders.OpenOrMakeOne(into, name, (uint)description.Mode, _owner, replaces: true);
                    folders.Push((path, name));
                }
                else if (ConfinedFolders.Move(from, name, into, name, replaces: true) is { } reason)
                {
                    left.Add(WorkspacePath.Join(path, name), reason);
                }
                else
                {
                    moved++;
                }
            }
        }

        return moved;
    }

    public void Dispose()
    {
        _work.Dispose();
        _content?.Dispose();
    }

    /// <summary>Read to the end before anything is moved away: what an open listing shows of later changes is not said.</summary>
    private static List<(string Name, FileDescription Description)> NamesIn(SafeFileHandle folder)
    {
        List<(string, FileDescription)> names = [];
        if (ConfinedFiles.OpenListing(folder, string.Empty) is { } listing)
        {
            using var open = new RawFolder(listing, []);
            while (FolderWalk.TryReadName(open, out var name))
            {
                if (name is not null && FileDescription.Of(listing, name) is { } description)
                {
                    names.Add((name, description));
                }
            }
        }

        return names;
    }

    private SafeFileHandle? RootOf(string path) => IsReadOnly(path) ? _content : _work;
}
