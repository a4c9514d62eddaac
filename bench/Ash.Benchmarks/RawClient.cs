using System.Net.Sockets;
using System.Text;

namespace Ash.Benchmarks;

/// <summary>One connection that parses nothing, so that what is timed is the server and not its client.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly string _headers;
    private byte[] _answer = new byte[64 * 1024];

    public RawClient(Uri server, string apiKey)
    {
        _socket.Connect(server.Host, server.Port);
        _headers = $"Host: {server.Authority}\r\nAuthorization: Bearer {apiKey}\r\nContent-Type: application/json\r\n";
    }

    /// <summary>Posts and reads to the end of an answer in chunks.</summary>
    /// <returns>All of it, headers and chunk lengths included.</returns>
    public string Post(string path, string json)
    {
        _socket.Send(Encoding.UTF8.GetBytes($"POST {path} HTTP/1.1\r\n{_headers}Content-Length: {Encoding.UTF8.GetByteCount(json)}\r\n\r\n{json}"));
        var length = 0;
        do
        {
            if (length == _answer.Length)
            {
                Array.Resize(ref _answer, length * 2);
            }

            var read = _socket.Receive(_answer.AsSpan(length));
            length += read > 0 ? read : throw new IOException("The server closed the connection.");
        }
        while (!_answer.AsSpan(0, length).EndsWith("\r\n0\r\n\r\n"u8));

        return Encoding.UTF8.GetString(_answer, 0, length);
    }

    public void Dispose() => _socket.Dispose();
}
