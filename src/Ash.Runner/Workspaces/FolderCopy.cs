using System.Runtime.InteropServices;
using System.Text;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>Copies what is below a folder that a hostile program writes to into an empty one, for another owner.</summary>
/// <remarks>
/// Links stay links and are followed on neither side. What <see cref="FolderWalk"/> leaves out is left out; files of several names
/// become several files.
/// </remarks>
internal sealed class FolderCopy(SafeFileHandle from, SafeFileHandle to, uint? owner, RewrittenFile? rewritten) : IDisposable
{
    /// <summary>More names than any project has. They are read one by one while the processes inside stand still.</summary>
    public const int MaxEntries = 1_000_000;

    private const uint OwnersOwn = 0b111_000_000;

    // Files lie beside each other: their folder is opened once.
    private string _folder = string.Empty;
    private SafeFileHandle? _opened;

    /// <exception cref="IOException">Something cannot be read or written, or there are too many files.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        var walk = new FolderWalk(from, static (_, _) => true, MaxEntries);
        foreach (var entry in walk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (folder, name) = WorkspacePath.Split(entry.Path);
            if (OpenTarget(folder) is { } above)
            {
                Copy(entry, above, name, cancellationToken);
            }
        }

        if (walk.IsCut)
        {
            throw new IOException($"There are more than {MaxEntries} files.");
        }
    }

    public void Dispose() => _opened?.Dispose();

    /// <summary>Null where a program has put something else there meanwhile.</summary>
    private SafeFileHandle? OpenTarget(string folder)
    {
        if (_opened is null || folder != _folder)
        {
            _opened?.Dispose();
            _opened = ConfinedFolders.OpenOrMake(to, folder, owner, replaces: false, out _);
            _folder = folder;
        }

        return _opened;
    }

    private void Copy(WorkspaceEntry entry, SafeFileHandle above, string name, CancellationToken cancellationToken)
    {
        switch (entry.Description.Kind)
        {
            case FileKind.Folder:
                var mode = (uint)entry.Description.Mode | OwnersOwn;
                ConfinedFolders.OpenOrMakeOne(above, name, mode, owner, replaces: false)?.Dispose();
                break;
            case FileKind.Link when Libc.MakeLinkAt(entry.Target!, above, name) == 0:
                Libc.ChangeOwnerAt(above, name, owner ?? uint.MaxValue, owner ?? uint.MaxValue, Libc.AtSymlinkNoFollow);
                break;
            case FileKind.File when ConfinedFiles.OpenFile(from, entry.Path, out _) is { } file:
                using (file)
                {
                    CopyFile(entry, file, above, name, cancellationToken);
                }

                break;
            default:
                break;
        }
    }

    private void CopyFile(WorkspaceEntry entry, SafeFileHandle file, SafeFileHandle above, string name, CancellationToken cancellationToken)
    {
        const int New = Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenExclusive | Libc.OpenNoFollow | Libc.OpenCloseOnExec;
        using var target = Libc.OpenAt(above, Encoding.UTF8.GetBytes(name + '\0'), New, 0b110_000_000);
        if (target.IsInvalid)
        {
            throw new IOException($"A file cannot be written: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        if (rewritten?.Path == entry.Path)
        {
            using var reading = new FileStream(new SafeFileHandle(file.DangerousGetHandle(), ownsHandle: false), FileAccess.Read);
            using var writing = new FileStream(new SafeFileHandle(target.DangerousGetHandle(), ownsHandle: false), FileAccess.Write);
            rewritten.Rewrite(reading, writing);
        }
        else
        {
            SparseCopy.Copy(file, target, RandomAccess.GetLength(file), cancellationToken);
        }

        if (owner is { } uid)
        {
            Libc.ChangeOwner(target, uid, uid);
        }

        // After the owner, which takes bits away.
        Libc.ChangeMode(target, (uint)entry.Description.Mode);
        File.SetLastWriteTimeUtc(target, entry.Description.ModifiedAt.UtcDateTime);
    }
}
