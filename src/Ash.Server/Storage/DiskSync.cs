using System.Runtime.InteropServices;

namespace Ash.Server.Storage;

/// <summary>Makes what was written safe from power cuts.</summary>
internal static partial class DiskSync
{
    /// <summary>The names in a folder: a new one survives a power cut only once its folder was synced.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public static void Folder(string path) => Sync(path, SyncFile);

    /// <summary>Everything that was written to the file system of a folder, however many files that are.</summary>
    /// <inheritdoc cref="Folder"/>
    public static void FileSystem(string folder) => Sync(folder, SyncFileSystem);

    private static void Sync(string path, Func<int, int> sync)
    {
        const int readOnlyDirectory = 0x10000; // O_RDONLY | O_DIRECTORY
        const int closeOnExec = 0x80000;
        var descriptor = Open(path, readOnlyDirectory | closeOnExec);
        if (descriptor < 0)
        {
            throw new IOException($"{path} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        var result = sync(descriptor);
        var problem = Marshal.GetLastPInvokeErrorMessage();
        _ = Close(descriptor);
        if (result != 0)
        {
            throw new IOException($"{path} cannot be synced: {problem}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncFile(int descriptor);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    private static partial int SyncFileSystem(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
