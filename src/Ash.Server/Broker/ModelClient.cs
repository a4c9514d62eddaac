using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace Ash.Server.Broker;

/// <summary>The server's connections to the model.</summary>
/// <remarks>
/// HTTP/1.1, as the API's own clients use: a call has a connection of its own, so one that stalls holds up no other, and one
/// that is given up really ends at the other side.
/// </remarks>
internal sealed class ModelClient(IOptions<ModelUpstream> upstream) : IDisposable
{
    public HttpMessageInvoker Http { get; } = new(CreateHandler(upstream.Value.SocketPath));

    public string BaseUrl { get; } = upstream.Value.BaseUrl.TrimEnd('/');

    /// <summary>The session's own, or the server's.</summary>
    /// <remarks>None for a socket: the scripted model has no use for it, and may show what it was sent.</remarks>
    public string? KeyOf(PermittedCall call) =>
        upstream.Value.SocketPath is null ? call.ModelKey?.Reveal() ?? upstream.Value.ApiKey : null;

    public void Dispose() => Http.Dispose();

    private static SocketsHttpHandler CreateHandler(string? socketPath)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            MaxResponseHeadersLength = 64,
            // The rest of an answer that is thrown away is not worth reading for the sake of its connection.
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        };

        if (socketPath is not null)
        {
            handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(socketPath, cancellationToken);
        }

        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
