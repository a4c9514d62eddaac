using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Ash.Server.Broker;

/// <summary>One sandbox's socket. As a feature of a connection it says whose the connection is.</summary>
/// <remarks>Disposal closes it, removes its file and aborts its open connections, calls in progress included.</remarks>
internal sealed partial class BrokerSocket : IDisposable
{
    // Out of descriptors or memory: the kernel keeps the connection in the backlog meanwhile.
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(200);

    private readonly Socket _listener;
    private readonly BrokerOptions _options;
    private readonly TimeProvider _clock;
    private readonly Action<BrokerSocket> _closed;
    private readonly TokenBucket _connects;
    private readonly CancellationTokenSource _closing = new();
    private readonly HashSet<BrokerConnection> _open = [];
    private readonly Lock _lock = new();
    private bool _disposed;

    internal BrokerSocket(
        string sandboxId, string path, Socket listener, BrokerOptions options, TimeProvider clock, Action<BrokerSocket> closed)
    {
        SandboxId = sandboxId;
        Path = path;
        _listener = listener;
        _options = options;
        _clock = clock;
        _closed = closed;
        _connects = new TokenBucket(options.ConnectionBurst, options.ConnectionsPerSecond, clock);
        Requests = new TokenBucket(options.RequestBurst, options.RequestsPerMinute / 60.0, clock);
    }

    public string SandboxId { get; }

    public string Path { get; }

    /// <summary>What the sandbox may still ask, over all its connections.</summary>
    internal TokenBucket Requests { get; }

    /// <summary>Completes once nothing is accepted any more.</summary>
    internal Task Stopped { get; private set; } = Task.CompletedTask;

    internal void Start(SocketConnectionContextFactory factory, ChannelWriter<ConnectionContext> accepted, ILogger logger)
    {
        // Not on the caller's thread: the first accept may complete at once.
        Stopped = Task.Run(() => AcceptAsync(factory, accepted, logger));
    }

    public void Dispose()
    {
        BrokerConnection[] open;

        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            open = [.. _open];
        }

        _closing.Cancel();
        _listener.Dispose();
        SocketFile.Remove(Path);

        foreach (var connection in open)
        {
            connection.Abort(new ConnectionAbortedException("The sandbox's socket was closed."));
        }

        _closed(this);
    }

    /// <summary>Called when the server is done with a connection.</summary>
    internal void Remove(BrokerConnection connection)
    {
        lock (_lock)
        {
            _open.Remove(connection);
        }
    }

    private async Task AcceptAsync(SocketConnectionContextFactory factory, ChannelWriter<ConnectionContext> accepted, ILogger logger)
    {
        var cancellationToken = _closing.Token;

        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                // A process that connects in a loop is slowed here, before it costs anything; it waits in its own backlog.
                while (!_connects.TryTake(out var wait))
                {
                    await Task.Delay(wait, _clock, cancellationToken);
                }

                var socket = await _listener.AcceptAsync(cancellationToken);

                if (Admit(socket, factory) is { } connection)
                {
                    await HandOverAsync(connection, accepted, cancellationToken);
                }
            }
            catch (SocketException failure) when (!cancellationToken.IsCancellationRequested)
            {
                LogAcceptFailed(logger, SandboxId, failure.SocketErrorCode);

                try
                {
                    await Task.Delay(PauseAfterFailure, _clock, cancellationToken);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
            catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or SocketException
                or ChannelClosedException)
            {
                return;
            }
        }
    }

    private static async Task HandOverAsync(
        BrokerConnection connection, ChannelWriter<ConnectionContext> accepted, CancellationToken cancellationToken)
    {
        var handedOver = false;

        try
        {
            await accepted.WriteAsync(connection, cancellationToken);
            handedOver = true;
        }
        finally
        {
            if (!handedOver)
            {
                await connection.DisposeAsync();
            }
        }
    }

    private BrokerConnection? Admit(Socket socket, SocketConnectionContextFactory factory)
    {
        lock (_lock)
        {
            if (!_disposed && _open.Count < _options.MaxConnections)
            {
                var connection = new BrokerConnection(factory.Create(socket), this);
                _open.Add(connection);
                return connection;
            }
        }

        socket.Dispose();
        return null;
    }

    [LoggerMessage(LogLevel.Warning, "The broker socket of sandbox {SandboxId} could not accept a connection: {Error}")]
    private static partial void LogAcceptFailed(ILogger logger, string sandboxId, SocketError error);
}
