using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Kernel;

/// <summary>What a name in a folder is, itself and not what it may lead to.</summary>
internal enum FileKind
{
    None,
    File,
    Folder,
    Link,

    /// <summary>A pipe, a socket, a device.</summary>
    Other,
}

internal static class FileKinds
{
    private const uint TypeMask = 0x1;

    // Of stx_mode in struct statx.
    private const int ModeOffset = 28;

    /// <exception cref="IOException">Nobody can say, for example because a parent is no folder.</exception>
    public static FileKind Of(string path)
    {
        Span<byte> result = stackalloc byte[256];
        if (Libc.Describe(Libc.AtCurrentDirectory, path, Libc.AtSymlinkNoFollow, TypeMask, result) != 0)
        {
            return Marshal.GetLastPInvokeError() == Libc.NoEntry
                ? FileKind.None
                : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        return Read(result);
    }

    /// <summary>Of an open file.</summary>
    public static FileKind Of(SafeFileHandle file)
    {
        Span<byte> result = stackalloc byte[256];
        return Libc.Describe(file, string.Empty, Libc.AtEmptyPath, TypeMask, result) == 0 ? Read(result) : FileKind.Other;
    }

    private static FileKind Read(ReadOnlySpan<byte> result) =>
        OfMode(BinaryPrimitives.ReadUInt16LittleEndian(result[ModeOffset..]));

    /// <param name="mode">As the kernel has it, with the kind in its upper bits.</param>
    public static FileKind OfMode(ushort mode) => (mode & 0xf000) switch
    {
        0x8000 => FileKind.File,
        0x4000 => FileKind.Folder,
        0xa000 => FileKind.Link,
        _ => FileKind.Other,
    };
}
