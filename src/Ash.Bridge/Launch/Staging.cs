using System.Globalization;
using Ash.Bridge.Native;
using Ash.Protocol.Launch;
using static Ash.Bridge.Launch.LaunchException;

namespace Ash.Bridge.Launch;

/// <summary>
/// Binds sources below <c>/mnt</c> of a mount namespace of our own: bubblewrap runs as the sandbox's user, to whom the
/// folders above them may be closed.
/// </summary>
internal static class Staging
{
    private const string Stage = "/mnt";
    private const int FolderMode = 0x1ed; // 0755
    private const int FileMode = 0x1a4; // 0644
    private const int FileSystemFlagsOffset = 72; // f_flag of struct statvfs, x86-64
    private const nuint Hardening = Libc.MountNoSetUid | Libc.MountNoDevices;

    internal static void Mount(IReadOnlyList<StagedBind> binds)
    {
        // Opened first: a source may itself be below /mnt.
        var sources = binds.Select(Open).ToArray();

        ThrowIfFailed(Libc.Mount("tmpfs", Stage, "tmpfs", Hardening, "mode=0755"), $"mount tmpfs on {Stage}");
        for (var i = 0; i < binds.Count; i++)
        {
            Bind(binds[i], sources[i]);
        }
    }

    private static Source Open(StagedBind bind)
    {
        var folder = Libc.Open(bind.Source, Libc.OpenPath | Libc.OpenFolder | Libc.OpenCloseOnExec, 0);
        if (folder >= 0)
        {
            return new(folder, IsFolder: true);
        }

        var file = ThrowIfFailed(Libc.Open(bind.Source, Libc.OpenPath | Libc.OpenCloseOnExec, 0), $"open {bind.Source}");
        return new(file, IsFolder: false);
    }

    private static void Bind(StagedBind bind, Source source)
    {
        var target = $"{Stage}/{bind.Name}";
        MakeTarget(target, source.IsFolder);

        var from = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{source.Descriptor}");
        ThrowIfFailed(Libc.Mount(from, target, null, Libc.MountBind, null), $"bind {bind.Source} to {target}");

        // A remount says all flags anew; what the source's own file system forbids stays forbidden.
        var kept = FlagsOf(source.Descriptor) & (Libc.MountReadOnly | Libc.MountNoExecute);
        var flags = Libc.MountRemount | Libc.MountBind | Hardening | kept | (bind.ReadOnly ? Libc.MountReadOnly : 0);
        ThrowIfFailed(Libc.Mount(null, target, null, flags, null), $"remount {target}");
    }

    private static void MakeTarget(string target, bool isFolder)
    {
        if (isFolder)
        {
            ThrowIfFailed(Libc.MakeDirectory(target, FolderMode), $"mkdir {target}");
            return;
        }

        var file = ThrowIfFailed(
            Libc.Open(target, Libc.OpenWriteOnly | Libc.OpenCreate | Libc.OpenCloseOnExec, FileMode), $"create {target}");
        Descriptor.Close(ref file);
    }

    private static unsafe nuint FlagsOf(int descriptor)
    {
        var result = stackalloc byte[Libc.OpaqueBytes];
        ThrowIfFailed(Libc.FileSystemOf(descriptor, result), "fstatvfs");
        return *(nuint*)(result + FileSystemFlagsOffset);
    }

    private readonly record struct Source(int Descriptor, bool IsFolder);
}
