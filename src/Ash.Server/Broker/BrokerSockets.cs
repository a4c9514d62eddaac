using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Ash.Server.Broker;

/// <summary>The sandboxes' sockets: one a sandbox, all served by one Kestrel listener. All members are thread-safe.</summary>
/// <remarks>
/// Sockets may be opened before the server has started; what connects then waits. When the server stops, all sockets and
/// their connections are closed: the CLI repeats what was cut and finds the next server's socket.
/// </remarks>
internal sealed partial class BrokerSockets(
    IOptions<BrokerOptions> options,
    TimeProvider clock,
    ILoggerFactory loggers,
    ILogger<BrokerSockets> logger) : IAsyncDisposable
{
    /// <summary>The kernel takes 107 bytes; the margin is for the folders that tests and operators choose.</summary>
    public const int MaxPathBytes = 100;

    private const int HandOverCapacity = 256;

    private readonly ConcurrentDictionary<string, BrokerSocket> _sockets = new(StringComparer.Ordinal);
    private readonly Lock _opening = new();
    private readonly Channel<ConnectionContext> _accepted = Channel.CreateBounded<ConnectionContext>(
        new BoundedChannelOptions(HandOverCapacity) { FullMode = BoundedChannelFullMode.Wait });

    private readonly SocketConnectionContextFactory _connections = new(
        new SocketConnectionFactoryOptions { MaxReadBufferSize = 64 * 1024, MaxWriteBufferSize = 64 * 1024 },
        loggers.CreateLogger("Ash.Server.Broker.Connections"));

    private bool _disposed;

    internal ChannelReader<ConnectionContext> Accepted => _accepted.Reader;

    /// <summary>Listens for one sandbox. A stale file at the path is replaced, and so is the sandbox's earlier socket.</summary>
    /// <param name="sandboxId">Whom everything that connects is taken for.</param>
    /// <param name="path">At most <see cref="MaxPathBytes"/> bytes, in a folder that only the server writes to.</param>
    /// <param name="ownerUid">The host user that may connect: the sandbox's.</param>
    /// <exception cref="ArgumentException">The path is too long.</exception>
    /// <exception cref="IOException">The socket could not be made; the message names the path and the reason.</exception>
    /// <exception cref="ObjectDisposedException">The server is stopping.</exception>
    public BrokerSocket Open(string sandboxId, string path, int ownerUid)
    {
        if (Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
        {
            throw new ArgumentException($"The socket path '{path}' is longer than {MaxPathBytes} bytes.", nameof(path));
        }

        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);

            if (_sockets.TryRemove(sandboxId, out var earlier))
            {
                earlier.Dispose();
            }

            var socket = new BrokerSocket(sandboxId, path, Listen(path, ownerUid), options.Value, clock, Forget);
            _sockets[sandboxId] = socket;
            socket.Start(_connections, _accepted.Writer, loggers.CreateLogger<BrokerSocket>());
            LogOpened(sandboxId, path);
            return socket;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _connections.Dispose();
    }

    /// <summary>Closes every socket and every connection, for good.</summary>
    internal async Task StopAsync()
    {
        BrokerSocket[] open;

        lock (_opening)
        {
            _disposed = true;
            open = [.. _sockets.Values];
        }

        _accepted.Writer.TryComplete();

        foreach (var socket in open)
        {
            socket.Dispose();
        }

        foreach (var socket in open)
        {
            await socket.Stopped;
        }

        while (_accepted.Reader.TryRead(out var unserved))
        {
            await unserved.DisposeAsync();
        }
    }

    private static Socket Listen(string path, int ownerUid)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        try
        {
            File.Delete(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));

            // Nobody can connect before `listen`, so nobody ever meets the socket with other rights.
            SocketFile.GiveTo(path, ownerUid);

            // A connect beyond the backlog of a Unix socket fails at once; it does not wait as with TCP.
            socket.Listen(1024);
            return socket;
        }
        catch (Exception failure) when (failure is SocketException or UnauthorizedAccessException or IOException)
        {
            socket.Dispose();
            throw new IOException($"The broker cannot listen on '{path}': {failure.Message}", failure);
        }
    }

    private void Forget(BrokerSocket socket)
    {
        _sockets.TryRemove(new KeyValuePair<string, BrokerSocket>(socket.SandboxId, socket));
        LogClosed(socket.SandboxId);
    }

    [LoggerMessage(LogLevel.Debug, "Opened the broker socket of sandbox {SandboxId} at {Path}")]
    private partial void LogOpened(string sandboxId, string path);

    [LoggerMessage(LogLevel.Debug, "Closed the broker socket of sandbox {SandboxId}")]
    private partial void LogClosed(string sandboxId);
}
