using System.Runtime.InteropServices;
using System.Text;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>A folder of ours in which files for a workspace are made ready; what was not moved away goes with it.</summary>
/// <remarks>No sandbox sees it. It is on the file system of the workspaces, so that a move is one step.</remarks>
internal sealed class StagingFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const uint FileMode = 0b110_100_100;

    private readonly string _path;
    private int _files;

    private StagingFolder(string path, SafeFileHandle root, uint? owner)
    {
        _path = path;
        Root = root;
        Owner = owner;
    }

    public SafeFileHandle Root { get; }

    /// <summary>Host user of what is made here; null where it is ours.</summary>
    public uint? Owner { get; }

    /// <exception cref="IOException">It cannot be made.</exception>
    public static StagingFolder Create(string temporaryRoot, uint? owner)
    {
        var path = Path.Combine(temporaryRoot, $"staging-{Guid.CreateVersion7()}");
        Directory.CreateDirectory(path, OwnerOnly);
        return new StagingFolder(path, ConfinedFiles.OpenRoot(path) ?? throw new IOException($"{path} is gone."), owner);
    }

    /// <summary>Makes a file with a name of its own.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public StagedFile Make()
    {
        var name = $"{_files++}";
        return new StagedFile(name, MakeFile(Root, name, FileMode));
    }

    public void Dispose()
    {
        Root.Dispose();
        FolderRemoval.Remove(_path);
    }

    /// <summary>Makes a file beneath, in place of whatever file or link has the name.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public FileStream MakeFile(SafeFileHandle folder, string name, uint mode)
    {
        const int Flags = Libc.OpenWriteOnly | Libc.OpenCreate | Libc.OpenExclusive | Libc.OpenNoFollow | Libc.OpenCloseOnExec;
        var file = Libc.OpenAt(folder, Encoding.UTF8.GetBytes(name + '\0'), Flags, mode);
        var error = file.IsInvalid ? Marshal.GetLastPInvokeError() : 0;
        if (error == 0 && Owner is { } uid && Libc.ChangeOwner(file, uid, uid) != 0)
        {
            error = Marshal.GetLastPInvokeError();
        }

        if (error != 0)
        {
            file.Dispose();
            throw new IOException($"{name} cannot be written: {Marshal.GetPInvokeErrorMessage(error)}.");
        }

        return new FileStream(file, FileAccess.Write, bufferSize: 0);
    }
}
