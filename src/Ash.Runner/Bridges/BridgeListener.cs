using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Ash.Protocol.Bridge;
using Ash.Runner.Kernel;
using Ash.Runner.Sandboxes;
using Microsoft.Extensions.Logging;

namespace Ash.Runner.Bridges;

/// <summary>Listens on a sandbox's <c>host.sock</c> and lets in its bridge alone.</summary>
/// <remarks>Every process inside can reach the socket. The kernel says who connects: only pid 1 inside gets as far as a frame.</remarks>
internal sealed partial class BridgeListener : IAsyncDisposable
{
    /// <summary>A bridge says hello at once, unless it is no longer ours.</summary>
    private static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Then each further one costs the sandbox a wait rather than the server its time.</summary>
    private const int ToleratedStrangers = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly string _sandboxId;
    private readonly string _path;
    private readonly uint? _uid;
    private readonly Func<int?> _bridgePid;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Socket _socket;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Channel<IBridgeConnection> _connections;
    private readonly Lock _gate = new();
    private readonly Task _accepting;
    private BridgeConnection? _newest;
    private int _handshakes;
    private int _strangers;
    private int _failedGreetings;

    /// <param name="path">The socket; what an earlier server left there is replaced.</param>
    /// <param name="uid">Its owner, and who may connect; null for our own.</param>
    /// <param name="bridgePid">The bridge's host pid, asked when somebody connects; null while it is unknown.</param>
    public BridgeListener(
        string sandboxId, string path, uint? uid, Func<int?> bridgePid, TimeProvider clock, ILogger logger)
    {
        _sandboxId = sandboxId;
        _path = path;
        _uid = uid;
        _bridgePid = bridgePid;
        _clock = clock;
        _logger = logger;
        _connections = Channel.CreateBounded<IBridgeConnection>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest },
            static dropped => _ = dropped.DisposeAsync().AsTask());
        _socket = Listen(path, uid);
        _accepting = AcceptAsync();
    }

    public ChannelReader<IBridgeConnection> Connections => _connections.Reader;

    /// <summary>There will be no further connection; the last one stays, and what it has received can still be read.</summary>
    public void Complete() => _connections.Writer.TryComplete();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _socket.Dispose();
        await _accepting;
        _connections.Writer.TryComplete();
        BridgeConnection? last;
        lock (_gate)
        {
            last = _newest;
            _newest = null;
        }

        if (last is not null)
        {
            await last.DisposeAsync();
        }
    }

    private static Socket Listen(string path, uint? uid)
    {
        File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));

            // Nobody can connect before it listens.
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (uid is { } owner && Libc.ChangeOwner(path, owner, owner) != 0)
            {
                throw new SandboxException($"sockets: {path} cannot be given to user {owner}: {Marshal.GetLastPInvokeErrorMessage()}.");
            }

            socket.Listen(backlog: 128);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            Socket accepted;
            try
            {
                accepted = await _socket.AcceptAsync(_stopping.Token);
            }
            catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException failure)
            {
                // Out of descriptors, or the caller was gone already: the next may do better.
                LogAcceptFailed(_sandboxId, failure.Message);
                if (!await PauseAsync())
                {
                    return;
                }

                continue;
            }

            if (!IsBridge(accepted))
            {
                accepted.Dispose();
                if (++_strangers > ToleratedStrangers && !await PauseAsync())
                {
                    return;
                }

                continue;
            }

            _ = GreetAsync(accepted);
        }
    }

    private async Task<bool> PauseAsync()
    {
        try
        {
            await Task.Delay(Pause, _clock, _stopping.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private bool IsBridge(Socket accepted)
    {
        var peer = PeerCredentials.Of(accepted);
        if (peer.Pid == _bridgePid() && peer.User == (_uid ?? Libc.EffectiveUser()))
        {
            return true;
        }

        // Each time twice as rarely: who is inside does not get to fill our logs.
        if (int.IsPow2(_strangers + 1))
        {
            LogStranger(_sandboxId, peer.Pid, peer.User, _strangers + 1);
        }

        return false;
    }

    private async Task GreetAsync(Socket accepted)
    {
        var connection = new BridgeConnection(_sandboxId, accepted, _logger);
        BridgeConnection? previous;
        int handshake;
        lock (_gate)
        {
            // The newest wins from the moment it is accepted: a hostile bridge holds one connection, not thousands.
            previous = _newest;
            _newest = connection;
            handshake = ++_handshakes;
        }

        if (previous is not null)
        {
            await previous.DisposeAsync();
        }

        try
        {
            using var timeout = new CancellationTokenSource(HelloTimeout, _clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
            await connection.ReadHelloAsync(either.Token);
            lock (_gate)
            {
                if (handshake == _handshakes && !_stopping.IsCancellationRequested && _connections.Writer.TryWrite(connection))
                {
                    return;
                }
            }
        }
        catch (FrameException failure)
        {
            ReportFailedGreeting(failure);
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException or ObjectDisposedException)
        {
            ReportFailedGreeting(failure);
        }

        await connection.DisposeAsync();
    }

    private void ReportFailedGreeting(Exception failure)
    {
        if (!_stopping.IsCancellationRequested && int.IsPow2(Interlocked.Increment(ref _failedGreetings)))
        {
            LogNoHello(_sandboxId, failure.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A process that is not the bridge of sandbox {SandboxId} dialled its socket: pid {Pid}, user {User}, {Count} times so far")]
    private partial void LogStranger(string sandboxId, int pid, uint user, int count);

    [LoggerMessage(LogLevel.Warning, "The bridge of sandbox {SandboxId} dialled but gave no hello: {Reason}")]
    private partial void LogNoHello(string sandboxId, string reason);

    [LoggerMessage(LogLevel.Warning, "No connection could be accepted for sandbox {SandboxId}: {Reason}")]
    private partial void LogAcceptFailed(string sandboxId, string reason);
}
