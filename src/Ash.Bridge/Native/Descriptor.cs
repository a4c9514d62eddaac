using System.Text;

namespace Ash.Bridge.Native;

/// <summary>What one does with descriptors, interruptions by signals taken care of.</summary>
internal static class Descriptor
{
    internal const int None = -1;

    internal const int StandardError = 2;

    /// <summary>Bytes read; 0 at the end, −1 where nothing is there yet or the other side is gone (see <see cref="Errno"/>).</summary>
    internal static unsafe int Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint count;
            do
            {
                count = Libc.Read(descriptor, start, (nuint)buffer.Length);
            }
            while (count < 0 && Errno.Last == Errno.Interrupted);

            return (int)count;
        }
    }

    /// <summary>Bytes written; −1 where nothing can be written now, or ever (see <see cref="Errno"/>).</summary>
    internal static unsafe int Write(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nint count;
            do
            {
                count = Libc.Write(descriptor, start, (nuint)bytes.Length);
            }
            while (count < 0 && Errno.Last == Errno.Interrupted);

            return (int)count;
        }
    }

    /// <summary>Closes it, unless there is none, and forgets its number.</summary>
    internal static void Close(ref int descriptor)
    {
        if (descriptor != None)
        {
            Libc.Close(descriptor); // Closed even where it reports an error; to repeat it would be wrong.
            descriptor = None;
        }
    }

    /// <summary>A pipe, both ends closed on exec and blocking; false with <see cref="Errno"/> set.</summary>
    internal static unsafe bool TryPipe(out int readEnd, out int writeEnd)
    {
        var ends = stackalloc int[2];
        var made = Libc.Pipe(ends, Libc.OpenCloseOnExec) == 0;
        (readEnd, writeEnd) = made ? (ends[0], ends[1]) : (None, None);
        return made;
    }

    internal static void MakeNonBlocking(int descriptor) =>
        Libc.Control(descriptor, Libc.SetStatusFlags, Libc.OpenNonBlocking);

    /// <summary>Says a line on a descriptor, as far as it goes. The console of the base library is not to be used here.</summary>
    internal static void Say(int descriptor, string line) =>
        Write(descriptor, Encoding.UTF8.GetBytes($"ash-bridge: {line}\n"));
}
