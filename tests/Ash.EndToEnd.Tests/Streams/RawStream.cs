using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ash.Testing;

namespace Ash.EndToEnd.Tests.Streams;

/// <summary>
/// A client that counts bytes: it reads exactly so many of an answer's body and closes its socket, or does not read at all.
/// It takes off the transfer coding and nothing else.
/// </summary>
internal sealed class RawStream : IDisposable
{
    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private long _left;
    private bool _isChunked;

    private RawStream(Socket socket) => _socket = socket;

    public int Status { get; private set; }

    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The body came to its end; false where the connection broke before, or has not ended yet.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Sends a request and reads the head of its answer.</summary>
    /// <param name="server">The server.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="lastEventId">The header of that name, where it is not null.</param>
    /// <param name="post">The JSON body of a POST; a GET where it is null.</param>
    /// <param name="idempotencyKey">The header of that name, where it is not null.</param>
    /// <param name="receiveBuffer">Bytes that the kernel takes for a client that does not read.</param>
    public static async Task<RawStream> OpenAsync(
        AshServer server, string path, string? lastEventId = null, string? post = null, string? idempotencyKey = null, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } size)
        {
            socket.ReceiveBufferSize = size;
        }

        await socket.ConnectAsync(IPAddress.Loopback, server.Port, TestContext.Current.CancellationToken);
        var stream = new RawStream(socket);
        var head = new StringBuilder($"{(post is null ? "GET" : "POST")} {path} HTTP/1.1\r\nHost: ash\r\nAuthorization: Bearer {server.ApiKey}\r\n");
        if (lastEventId is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Last-Event-ID: {lastEventId}\r\n");
        }

        if (idempotencyKey is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Idempotency-Key: {idempotencyKey}\r\n");
        }

        if (post is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(post)}\r\n");
        }

        await socket.SendAsync(Encoding.UTF8.GetBytes($"{head}\r\n{post}"));
        await stream.ReadHeadAsync();
        return stream;
    }

    /// <summary>Reads so many bytes of the body; fewer where it ends or breaks off before.</summary>
    public async Task<byte[]> ReadAsync(long count = long.MaxValue)
    {
        using var body = new MemoryStream();
        while (body.Length < count && await NextAsync(count - body.Length) is { Length: > 0 } piece)
        {
            body.Write(piece.Span);
        }

        return body.ToArray();
    }

    /// <summary>Reads until what came so far fits; fails where the body ends before.</summary>
    public async Task<byte[]> ReadUntilAsync(Func<byte[], bool> fits)
    {
        using var body = new MemoryStream();
        while (await NextAsync(long.MaxValue) is { Length: > 0 } piece)
        {
            body.Write(piece.Span);
            if (fits(body.ToArray()))
            {
                return body.ToArray();
            }
        }

        throw new InvalidOperationException($"The stream ended before: {Encoding.UTF8.GetString(body.ToArray())}");
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>At least one byte of the body; none where it is over.</summary>
    private async ValueTask<ReadOnlyMemory<byte>> NextAsync(long limit)
    {
        if (IsWhole || (_left == 0 && !await BeginChunkAsync()))
        {
            return default;
        }

        if (_start == _end && !await ReceiveAsync())
        {
            return default;
        }

        var length = (int)Math.Min(Math.Min(limit, _left), _end - _start);
        var piece = _buffer.AsMemory(_start, length).ToArray();
        _start += length;
        _left -= length;
        if (_left == 0)
        {
            IsWhole = !_isChunked;
            _ = _isChunked && await ReadLineAsync() is null;
        }

        return piece;
    }

    private async ValueTask<bool> BeginChunkAsync()
    {
        if (!_isChunked || await ReadLineAsync() is not { } line)
        {
            return false;
        }

        _left = long.Parse(line, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        if (_left == 0)
        {
            IsWhole = await ReadLineAsync() is "";
        }

        return _left > 0;
    }

    private async Task ReadHeadAsync()
    {
        var status = await ReadLineAsync() ?? throw new IOException("The server closed the connection without an answer.");
        Status = int.Parse(status.Split(' ')[1], CultureInfo.InvariantCulture);
        while (await ReadLineAsync() is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            Headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        _isChunked = Headers.TryGetValue("Transfer-Encoding", out var coding) && coding == "chunked";
        _left = _isChunked ? 0 : long.Parse(Headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture);
    }

    /// <returns>A line without its end; null where the connection ended first.</returns>
    private async ValueTask<string?> ReadLineAsync()
    {
        int length;
        while ((length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0)
        {
            if (!await ReceiveAsync())
            {
                return null;
            }
        }

        var line = Encoding.ASCII.GetString(_buffer, _start, length);
        _start += length + 2;
        return line;
    }

    private async ValueTask<bool> ReceiveAsync()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        try
        {
            var received = await _socket.ReceiveAsync(_buffer.AsMemory(_end), TestContext.Current.CancellationToken);
            _end += received;
            return received > 0;
        }
        catch (SocketException)
        {
            // Broken off by the other side, which is an end that the caller sees by IsWhole.
            return false;
        }
    }
}
