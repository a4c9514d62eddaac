using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;

namespace Ash.StandIn;

/// <summary>Requests on one connection, one after another; it reads no more of an answer than where it ends.</summary>
/// <remarks>So that what is timed is the server and not its client. The socket stays the caller's.</remarks>
internal sealed class HttpExchange(Socket socket)
{
    private byte[] _answer = new byte[64 * 1024];

    /// <summary>Sends a request and waits for the last byte of the answer.</summary>
    /// <returns>All of it, headers and chunk lengths included; valid until the next one.</returns>
    /// <exception cref="IOException">The answer is not a success, or the connection was closed.</exception>
    public ReadOnlySpan<byte> Send(ReadOnlySpan<byte> request)
    {
        socket.Send(request);
        var length = 0;
        do
        {
            if (length == _answer.Length)
            {
                Array.Resize(ref _answer, length * 2);
            }

            var read = socket.Receive(_answer.AsSpan(length));
            length += read > 0 ? read : throw new IOException("The server closed the connection.");
        }
        while (!IsWhole(_answer.AsSpan(0, length)));

        var answer = _answer.AsSpan(0, length);
        return answer.StartsWith("HTTP/1.1 2"u8) ? answer : throw new IOException(Encoding.UTF8.GetString(answer));
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var headers = answer.IndexOf("\r\n\r\n"u8);
        if (headers < 0)
        {
            return false;
        }

        var name = "\r\nContent-Length: "u8;
        var found = answer[..headers].IndexOf(name);
        return found < 0
            ? answer.EndsWith("\r\n0\r\n\r\n"u8)
            : Utf8Parser.TryParse(answer[(found + name.Length)..], out int bytes, out _) && answer.Length >= headers + 4 + bytes;
    }
}
