using System.Buffers.Binary;
using System.Text;

namespace Ash.Bridge.Native;

/// <summary>Addresses in the kernel's form.</summary>
internal static class SocketAddress
{
    /// <summary>What a path may have, its final NUL left out.</summary>
    internal const int MaxUnixPathBytes = 107;

    internal static byte[] Unix(string path)
    {
        var length = Encoding.UTF8.GetByteCount(path);
        if (length is 0 or > MaxUnixPathBytes)
        {
            throw new ArgumentException($"A socket's path has 1 to {MaxUnixPathBytes} bytes.", nameof(path));
        }

        var address = new byte[2 + length + 1];
        address[0] = Libc.UnixFamily;
        Encoding.UTF8.GetBytes(path, address.AsSpan(2));
        return address;
    }

    internal static byte[] Loopback(int port)
    {
        var address = new byte[16];
        address[0] = Libc.InternetFamily;
        BinaryPrimitives.WriteUInt16BigEndian(address.AsSpan(2), (ushort)port);
        address[4] = 127;
        address[7] = 1;
        return address;
    }

    /// <summary>A non-blocking stream socket connected to <paramref name="address"/>; −1 with <see cref="Errno"/> set.</summary>
    internal static unsafe int DialUnix(byte[] address)
    {
        var socket = Libc.Socket(
            Libc.UnixFamily, Libc.StreamSocket | Libc.OpenNonBlocking | Libc.OpenCloseOnExec, protocol: 0);
        if (socket < 0)
        {
            return Descriptor.None;
        }

        fixed (byte* start = address)
        {
            // A Unix socket is connected at once or, with a full backlog, not at all: there is nothing to wait for.
            if (Libc.Connect(socket, start, (uint)address.Length) != 0)
            {
                Descriptor.Close(ref socket);
            }
        }

        return socket;
    }
}
