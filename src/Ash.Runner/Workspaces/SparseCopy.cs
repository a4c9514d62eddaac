using System.Runtime.InteropServices;
using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Workspaces;

/// <summary>Copies a file without its holes: one that claims a terabyte and holds a byte costs a byte.</summary>
internal static class SparseCopy
{
    // Where lseek is told to go: the next bytes, the next hole.
    private const int NextData = 3;
    private const int NextHole = 4;

    private const int BufferBytes = 128 * 1024;

    /// <param name="from">Open to be read.</param>
    /// <param name="to">Empty, and open to be written.</param>
    /// <param name="length">Of what is copied; more may have been written since.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    /// <exception cref="IOException">A file cannot be read or written; is the disk full?</exception>
    public static void Copy(SafeFileHandle from, SafeFileHandle to, long length, CancellationToken cancellationToken)
    {
        for (var position = 0L; position < length;)
        {
            var data = Seek(from, position, NextData);
            if (data < 0 || data >= length)
            {
                break;
            }

            var end = Math.Min(Seek(from, data, NextHole), length);
            CopyRange(from, to, data, end, cancellationToken);
            position = end;
        }

        RandomAccess.SetLength(to, length);
    }

    /// <returns>Negative after the last bytes.</returns>
    private static long Seek(SafeFileHandle file, long position, int next)
    {
        var found = Libc.Seek(file, position, next);
        return found >= 0 || Marshal.GetLastPInvokeError() == Libc.NoDevice
            ? found
            : throw new IOException($"A file cannot be read: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    private static void CopyRange(SafeFileHandle from, SafeFileHandle to, long start, long end, CancellationToken cancellationToken)
    {
        Libc.Seek(from, start, 0);
        Libc.Seek(to, start, 0);
        while (start < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var copied = Libc.CopyRange(from, to, end - start);
            if (copied <= 0)
            {
                // Shorter by now, or between file systems that cannot.
                CopyThroughMemory(from, to, start, end, cancellationToken);
                return;
            }

            start += copied;
        }
    }

    private static void CopyThroughMemory(SafeFileHandle from, SafeFileHandle to, long start, long end, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        while (start < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(from, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - start)), start);
            if (read == 0)
            {
                return;
            }

            RandomAccess.Write(to, buffer.AsSpan(0, read), start);
            start += read;
        }
    }
}
