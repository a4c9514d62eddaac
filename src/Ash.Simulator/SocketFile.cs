using System.Net.Sockets;

namespace Ash.Simulator;

/// <summary>The file of a Unix socket, which outlives a process that is killed.</summary>
internal static class SocketFile
{
    /// <summary>Removes a socket file that nobody listens on any more.</summary>
    /// <exception cref="IOException">Somebody listens there, or the file is something else.</exception>
    public static void Clear(string path)
    {
        var file = new FileInfo(path);

        if (!file.Exists)
        {
            return;
        }

        if (file.Length > 0)
        {
            throw new IOException($"{path} is a file and not a socket.");
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            file.Delete();
            return;
        }

        throw new IOException($"{path} is in use.");
    }
}
