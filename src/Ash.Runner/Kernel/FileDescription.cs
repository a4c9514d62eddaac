using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Kernel;

/// <summary>What the kernel says of a file, itself and not what it may lead to.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Its permission bits, without set-uid and its like.</param>
/// <param name="Size">In bytes.</param>
/// <param name="ModifiedAt">Within what a tar archive can say: 1970 to 2242, whatever the owner has set.</param>
internal readonly record struct FileDescription(FileKind Kind, UnixFileMode Mode, long Size, DateTimeOffset ModifiedAt)
{
    private const uint BasicMask = 0x7ff;
    private const int AllBits = 0b111_111_111;

    // Of struct statx.
    private const int ModeOffset = 28;
    private const int SizeOffset = 40;
    private const int ModifiedOffset = 112;
    private const long LastSecond = (1L << 33) - 1;

    /// <summary>Null where there is nothing of this name in the folder.</summary>
    /// <exception cref="IOException">Nobody can say.</exception>
    public static FileDescription? Of(SafeFileHandle folder, string name)
    {
        Span<byte> result = stackalloc byte[256];
        if (Libc.Describe(folder, name, Libc.AtSymlinkNoFollow, BasicMask, result) == 0)
        {
            return Read(result);
        }

        return Marshal.GetLastPInvokeError() is Libc.NoEntry or Libc.NotFolder
            ? null
            : throw new IOException($"{name}: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>Of an open file.</summary>
    /// <exception cref="IOException">Nobody can say.</exception>
    public static FileDescription Of(SafeFileHandle file)
    {
        Span<byte> result = stackalloc byte[256];
        return Libc.Describe(file, string.Empty, Libc.AtEmptyPath, BasicMask, result) == 0
            ? Read(result)
            : throw new IOException(Marshal.GetLastPInvokeErrorMessage());
    }

    private static FileDescription Read(ReadOnlySpan<byte> result)
    {
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(result[ModeOffset..]);
        var seconds = BinaryPrimitives.ReadInt64LittleEndian(result[ModifiedOffset..]);
        var nanoseconds = BinaryPrimitives.ReadUInt32LittleEndian(result[(ModifiedOffset + sizeof(long))..]);
        return new FileDescription(
            FileKinds.OfMode(mode),
            (UnixFileMode)(mode & AllBits),
            (long)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(result[SizeOffset..]), long.MaxValue),
            seconds is >= 0 and <= LastSecond
                ? DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanoseconds / 100)
                : DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, LastSecond)));
    }
}
