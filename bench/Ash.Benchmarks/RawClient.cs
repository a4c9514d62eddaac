using System.Net;
using System.Net.Sockets;
using System.Text;
using Ash.StandIn;

namespace Ash.Benchmarks;

/// <summary>One connection that parses nothing, so that what is timed is the server and not its client.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly HttpExchange _exchange;
    private readonly string _headers;

    public RawClient(Uri server, string apiKey)
    {
        _socket.Connect(IPAddress.Loopback, server.Port);
        _exchange = new HttpExchange(_socket);
        _headers = $"Host: {server.Authority}\r\nAuthorization: Bearer {apiKey}\r\n";
    }

    /// <summary>A request to be sent any number of times.</summary>
    public byte[] Make(string method, string path, string? json = null) => Encoding.UTF8.GetBytes(json is null
        ? $"{method} {path} HTTP/1.1\r\n{_headers}Content-Length: 0\r\n\r\n"
        : $"{method} {path} HTTP/1.1\r\n{_headers}Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(json)}\r\n\r\n{json}");

    /// <inheritdoc cref="HttpExchange.Send"/>
    public ReadOnlySpan<byte> Send(byte[] request) => _exchange.Send(request);

    /// <summary>Posts and reads to the end of the answer.</summary>
    /// <returns>All of it, headers and chunk lengths included.</returns>
    public string Post(string path, string? json = null) => Encoding.UTF8.GetString(Send(Make("POST", path, json)));

    /// <inheritdoc cref="Post"/>
    public string Get(string path) => Encoding.UTF8.GetString(Send(Make("GET", path)));

    public void Dispose() => _socket.Dispose();
}
