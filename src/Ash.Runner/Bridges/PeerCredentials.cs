using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Ash.Runner.Bridges;

/// <summary>Who is at the other end of a Unix socket, by the kernel's word (<c>SO_PEERCRED</c>).</summary>
internal readonly record struct PeerCredentials(int Pid, uint User)
{
    private const int SocketLevel = 1;
    private const int PeerCredentialsOption = 17;

    public static PeerCredentials Of(Socket socket)
    {
        Span<byte> raw = stackalloc byte[12];
        socket.GetRawSocketOption(SocketLevel, PeerCredentialsOption, raw);
        return new PeerCredentials(MemoryMarshal.Read<int>(raw), MemoryMarshal.Read<uint>(raw[4..]));
    }
}
