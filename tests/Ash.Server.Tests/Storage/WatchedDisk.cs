using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ash.Server.Storage.Sqlite;

namespace Ash.Server.Tests.Storage;

/// <summary>SQLite's own view of the disk below one folder: counts what it syncs, and can be full or broken.</summary>
/// <remarks>
/// A SQLite VFS that hands everything on to the system's own. It is the default of the whole process from its first use
/// on; connections that were opened in a folder nobody watches do not notice.
/// </remarks>
internal sealed unsafe class WatchedDisk : IDisposable
{
    private const int Full = 13;
    private const int SyncFailed = 10 | (4 << 8);
    private const int VfsBytes = 168;
    private const int OpenOffset = 40;
    private const int MethodsBytes = 8 + (18 * 8);

    private static readonly ConcurrentDictionary<string, WatchedDisk> Watched = new();
    private static readonly ConcurrentDictionary<nint, WatchedDisk> Files = new();
    private static readonly ConcurrentDictionary<nint, nint> Copies = new();
    private static delegate* unmanaged[Cdecl]<void*, byte*, void*, int, int*, int> _open;

    private readonly string _folder;
    private int _syncs;

    static WatchedDisk()
    {
        SqliteLibrary.EnsureLoaded();
        var original = Find(null);
        var vfs = (byte*)NativeMemory.AllocZeroed(VfsBytes);
        Buffer.MemoryCopy(original, vfs, VfsBytes, VfsBytes);
        *(nint*)(vfs + 16) = 0;
        *(byte**)(vfs + 24) = (byte*)Marshal.StringToCoTaskMemUTF8("watched");
        _open = (delegate* unmanaged[Cdecl]<void*, byte*, void*, int, int*, int>)*(nint*)(original + OpenOffset);
        *(nint*)(vfs + OpenOffset) = (nint)(delegate* unmanaged[Cdecl]<void*, byte*, void*, int, int*, int>)&Open;
        Register(vfs, 1);
    }

    public WatchedDisk(string folder)
    {
        _folder = folder;
        Watched[folder] = this;
    }

    /// <summary>How often SQLite asked for something to be on the disk.</summary>
    public int Syncs => Volatile.Read(ref _syncs);

    /// <summary>Nothing can be written.</summary>
    public bool IsFull { get; set; }

    /// <summary>What is written cannot be synced.</summary>
    public bool FailsToSync { get; set; }

    public void Dispose() => Watched.TryRemove(_folder, out _);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(void* vfs, byte* name, void* file, int flags, int* outFlags)
    {
        var result = _open(vfs, name, file, flags, outFlags);
        var path = name is null ? null : Marshal.PtrToStringUTF8((nint)name);
        if (result == 0 && path is not null && Watched.TryGetValue(Path.GetDirectoryName(path)!, out var disk))
        {
            Files[(nint)file] = disk;
            *(nint*)file = Copies.GetOrAdd(*(nint*)file, static methods => Copy(methods));
        }

        return result;
    }

    /// <summary>The system's methods with three of ours; the original's address stands behind them.</summary>
    private static nint Copy(nint original)
    {
        var copy = (byte*)NativeMemory.AllocZeroed(MethodsBytes + 8);
        var length = 8 + (8 * (*(int*)original switch { 1 => 12, 2 => 16, _ => 18 }));
        Buffer.MemoryCopy((void*)original, copy, MethodsBytes, length);
        *(nint*)(copy + MethodsBytes) = original;
        *(nint*)(copy + 8) = (nint)(delegate* unmanaged[Cdecl]<void*, int>)&Close;
        *(nint*)(copy + 24) = (nint)(delegate* unmanaged[Cdecl]<void*, void*, int, long, int>)&Write;
        *(nint*)(copy + 40) = (nint)(delegate* unmanaged[Cdecl]<void*, int, int>)&Sync;
        return (nint)copy;
    }

    private static nint OriginalOf(void* file, int method) => *(nint*)(*(nint*)(*(byte**)file + MethodsBytes) + 8 + (8 * method));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(void* file)
    {
        Files.TryRemove((nint)file, out _);
        return ((delegate* unmanaged[Cdecl]<void*, int>)OriginalOf(file, 0))(file);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(void* file, void* bytes, int count, long offset) => Files[(nint)file].IsFull
        ? Full
        : ((delegate* unmanaged[Cdecl]<void*, void*, int, long, int>)OriginalOf(file, 2))(file, bytes, count, offset);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(void* file, int flags)
    {
        var disk = Files[(nint)file];
        Interlocked.Increment(ref disk._syncs);
        return disk.FailsToSync ? SyncFailed : ((delegate* unmanaged[Cdecl]<void*, int, int>)OriginalOf(file, 4))(file, flags);
    }

#pragma warning disable SYSLIB1054 // Pointers only: there is nothing to marshal.
    [DllImport("e_sqlite3", EntryPoint = "sqlite3_vfs_find")]
    private static extern byte* Find(byte* name);

    [DllImport("e_sqlite3", EntryPoint = "sqlite3_vfs_register")]
    private static extern int Register(byte* vfs, int makeDefault);
#pragma warning restore SYSLIB1054
}
