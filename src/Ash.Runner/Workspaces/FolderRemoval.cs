using System.Runtime.InteropServices;
using System.Text;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>Removes a folder that a hostile program has filled, or still fills.</summary>
/// <remarks>
/// Everything is named by its raw bytes, relative to a folder that is held open: what is swapped for a link meanwhile leads
/// nowhere. A tree can be deeper than there are descriptors, so a folder far down is moved up to the top, where its turn
/// comes again. Links are removed, never followed.
/// </remarks>
internal sealed class FolderRemoval : IDisposable
{
    private const uint OwnerOnly = 0b111_000_000;
    private const int Folder = Libc.OpenDirectory | Libc.OpenNoFollow | Libc.OpenCloseOnExec;
    private const int MaxOpenFolders = 32;

    /// <summary>One is enough, unless something still runs there; that is not waited for.</summary>
    private const int MaxPasses = 100;

    private readonly string path;
    private readonly SafeFileHandle parent;
    private readonly List<RawFolder> open = [];
    private readonly string prefix = Guid.NewGuid().ToString("N");
    private int moved;
    private int movedBeforePass;

    private FolderRemoval(string path, SafeFileHandle parent)
    {
        this.path = path;
        this.parent = parent;
    }

    /// <summary>Harmless where there is no such folder.</summary>
    /// <param name="path">Trusted up to, and not including, its last part.</param>
    /// <exception cref="IOException">Something of it cannot be removed.</exception>
    public static void Remove(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var above = Path.GetDirectoryName(path) ?? throw new ArgumentException("The root cannot be removed.", nameof(path));
        var parent = Libc.Open(above, Libc.OpenPath | Libc.OpenDirectory | Libc.OpenCloseOnExec, 0);
        var error = Marshal.GetLastPInvokeError();
        using var removal = new FolderRemoval(path, parent);
        if (!parent.IsInvalid)
        {
            removal.Run(Encoding.UTF8.GetBytes(Path.GetFileName(path) + '\0'));
        }
        else if (error is not (Libc.NoEntry or Libc.NotFolder))
        {
            throw removal.Failure(error);
        }
    }

    public void Dispose()
    {
        open.ForEach(folder => folder.Dispose());
        parent.Dispose();
    }

    private void Run(byte[] name)
    {
        var top = OpenFolder(parent, name, out var error);
        if (top is null)
        {
            if (error is not (Libc.NoEntry or Libc.NotFolder or Libc.TooManyLinks))
            {
                throw Failure(error);
            }

            return;
        }

        open.Add(new RawFolder(top, name));
        while (open is [.., var folder])
        {
            if (!folder.TryReadNext(out var entry, out var isFolder))
            {
                Leave(folder);
            }
            else if (isFolder || !TryUnlink(folder, entry))
            {
                Enter(folder, entry);
            }
        }
    }

    /// <returns>False where it is a folder.</returns>
    private bool TryUnlink(RawFolder folder, ReadOnlySpan<byte> entry)
    {
        if (Libc.UnlinkAt(folder.Descriptor, entry, flags: 0) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() switch
        {
            Libc.NoEntry => true,
            Libc.IsFolder => false,
            var error => throw Failure(error),
        };
    }

    /// <summary>Goes on in a folder, or moves it to the top, or finds that it is a folder no more.</summary>
    private void Enter(RawFolder folder, ReadOnlySpan<byte> entry)
    {
        var descriptor = OpenFolder(folder.Descriptor, entry, out var error);
        if (descriptor is null)
        {
            // What was put in its place is met again: a folder that still holds something is gone through once more.
            if (error is not (Libc.NoEntry or Libc.NotFolder or Libc.TooManyLinks))
            {
                throw Failure(error);
            }
        }
        else if (open.Count < MaxOpenFolders)
        {
            open.Add(new RawFolder(descriptor, entry.ToArray()));
        }
        else
        {
            descriptor.Dispose();
            MoveToTop(folder, entry);
        }
    }

    private void MoveToTop(RawFolder folder, ReadOnlySpan<byte> entry)
    {
        var place = Encoding.ASCII.GetBytes($"{prefix}-{moved}\0");
        if (Libc.RenameAt(folder.Descriptor, entry, open[0].Descriptor, place) == 0)
        {
            moved++;
        }
        else if (Marshal.GetLastPInvokeError() is not Libc.NoEntry and var error)
        {
            throw Failure(error);
        }
    }

    /// <summary>Removes a folder whose entries are gone, or begins it anew.</summary>
    private void Leave(RawFolder folder)
    {
        var above = open.Count > 1 ? open[^2].Descriptor : parent;
        var error = Libc.UnlinkAt(above, folder.Name, Libc.AtRemoveFolder) == 0 ? 0 : Marshal.GetLastPInvokeError();
        switch (error)
        {
            // Not there, or a link by now: it was swapped, so the folder above still holds something.
            case 0 or Libc.NoEntry or Libc.NotFolder:
                open.RemoveAt(open.Count - 1);
                folder.Dispose();
                break;
            case Libc.NotEmpty or Libc.Exists when folder.Passes < MaxPasses || moved > movedBeforePass:
                movedBeforePass = moved;
                folder.Rewind();
                break;
            default:
                throw Failure(error);
        }
    }

    /// <summary>Opens a folder with all rights of its owner, who may have taken them away. It matters where we are not root.</summary>
    private static SafeFileHandle? OpenFolder(SafeFileHandle above, ReadOnlySpan<byte> name, out int error)
    {
        var folder = Libc.OpenAt(above, name, Folder, 0);
        error = Marshal.GetLastPInvokeError();
        if (folder.IsInvalid && error == Libc.NoPermission)
        {
            using var closed = Libc.OpenAt(above, name, Folder | Libc.OpenPath, 0);
            if (!closed.IsInvalid)
            {
                // fchmod refuses such a descriptor; its name leads to what is open, and not along a path again.
                Libc.ChangeMode($"/proc/self/fd/{closed.DangerousGetHandle()}", OwnerOnly);
                folder = Libc.OpenAt(above, name, Folder, 0);
                error = Marshal.GetLastPInvokeError();
            }
        }

        if (folder.IsInvalid)
        {
            return null;
        }

        // Where it is not ours to change, the next call says so.
        Libc.ChangeMode(folder, OwnerOnly);
        return folder;
    }

    // Without the entry's name: it is the program's word, and has no place in a log.
    private IOException Failure(int error) => new($"{path} cannot be removed: {Marshal.GetPInvokeErrorMessage(error)}.");
}
