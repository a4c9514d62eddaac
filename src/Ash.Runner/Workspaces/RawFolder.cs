using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>An open folder whose entries are named by their raw bytes: a name need not be UTF-8, which .NET takes it for.</summary>
/// <param name="descriptor">Owned.</param>
/// <param name="name">Its own name, ending with a zero.</param>
internal sealed class RawFolder(SafeFileHandle descriptor, byte[] name) : IDisposable
{
    private const int BufferBytes = 16 * 1024;

    // Of struct linux_dirent64.
    private const int LengthOffset = 16;
    private const int TypeOffset = 18;
    private const int NameOffset = 19;
    private const byte FolderType = 4;

    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int position;
    private int filled;

    public SafeFileHandle Descriptor => descriptor;

    public ReadOnlySpan<byte> Name => name;

    /// <summary>How often its entries were read from the first on.</summary>
    public int Passes { get; private set; } = 1;

    /// <summary>The next entry; false after the last. What is added meanwhile may be left out.</summary>
    /// <param name="entry">Its name, ending with a zero; valid until the next call.</param>
    /// <param name="isFolder">Whether it was one; false where the file system does not say.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public bool TryReadNext(out ReadOnlySpan<byte> entry, out bool isFolder)
    {
        while (true)
        {
            if (position == filled && !Fill())
            {
                entry = default;
                isFolder = false;
                return false;
            }

            var record = buffer.AsSpan(position);
            record = record[..BinaryPrimitives.ReadUInt16LittleEndian(record[LengthOffset..])];
            position += record.Length;
            entry = record[NameOffset..];
            entry = entry[..(entry.IndexOf((byte)0) + 1)];
            isFolder = record[TypeOffset] == FolderType;
            if (!entry.SequenceEqual(".\0"u8) && !entry.SequenceEqual("..\0"u8))
            {
                return true;
            }
        }
    }

    /// <summary>The next entry is the first again.</summary>
    public void Rewind()
    {
        Libc.Seek(Descriptor, 0, from: 0);
        position = filled = 0;
        Passes++;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        Descriptor.Dispose();
    }

    private bool Fill()
    {
        var count = Libc.ReadEntries(Descriptor, buffer);
        var error = Marshal.GetLastPInvokeError();

        // A folder that somebody else removed has no entries left to be read.
        if (count < 0 && error != Libc.NoEntry)
        {
            throw new IOException(Marshal.GetPInvokeErrorMessage(error));
        }

        (position, filled) = (0, Math.Max(0, count));
        return count > 0;
    }
}
