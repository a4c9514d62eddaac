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
    private static readonly TimeSpan helloTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Then each further one costs the sandbox a wait rather than the server its time.</summary>
    private const int ToleratedStrangers = 100;

    private static readonly TimeSpan pause = TimeSpan.FromMilliseconds(20);

    private readonly string sandboxId;
    private readonly string path;
    private readonly uint? uid;
    private readonly Func<int?> bridgePid;
    private readonly TimeProvider clock;
    private readonly ILogger logger;
    private readonly Socket socket;
    private readonly CancellationTokenSource stopping = new();
    private readonly Channel<IBridgeConnection> connections;
    private readonly Lock gate = new();
    private readonly Task accepting;
    private BridgeConnection? newest;
    private int handshakes;
    private int strangers;
    private int failedGreetings;

    /// <param name="path">The socket; what an earlier server left there is replaced.</param>
    /// <param name="uid">Its owner, and who may connect; null for our own.</param>
    /// <param name="bridgePid">The bridge's host pid, asked when somebody connects; null while it is unknown.</param>
    public BridgeListener(
        string sandboxId, string path, uint? uid, Func<int?> bridgePid, TimeProvider clock, ILogger logger)
    {
        this.sandboxId = sandboxId;
        this.path = path;
        this.uid = uid;
        this.bridgePid = bridgePid;
        this.clock = clock;
        this.logger = logger;
        connections = Channel.CreateBounded<IBridgeConnection>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest },
            static dropped => _ = dropped.DisposeAsync().AsTask());
        socket = Listen(path, uid);
        accepting = AcceptAsync();
    }

    public ChannelReader<IBridgeConnection> Connections => connections.Reader;

    /// <summary>There will be no further connection; the last one stays, and what it has received can still be read.</summary>
    public void Complete() => connections.Writer.TryComplete();

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        socket.Dispose();
        await accepting;
        connections.Writer.TryComplete();
        BridgeConnection? last;
        lock (gate)
        {
            last = newest;
            newest = null;
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
        while (!stopping.IsCancellationRequested)
        {
            Socket accepted;
            try
            {
                accepted = await socket.AcceptAsync(stopping.Token);
            }
            catch (Exception failure) when (failure is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException failure)
            {
                // Out of descriptors, or the caller was gone already: the next may do better.
                LogAcceptFailed(sandboxId, failure.Message);
                if (!await PauseAsync())
                {
                    return;
                }

                continue;
            }

            if (!IsBridge(accepted))
            {
                accepted.Dispose();
                if (++strangers > ToleratedStrangers && !await PauseAsync())
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
            await Task.Delay(pause, clock, stopping.Token);
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
        if (peer.Pid == bridgePid() && peer.User == (uid ?? Libc.EffectiveUser()))
        {
            return true;
        }

        // Each time twice as rarely: who is inside does not get to fill our logs.
        if (int.IsPow2(strangers + 1))
        {
            LogStranger(sandboxId, peer.Pid, peer.User, strangers + 1);
        }

        return false;
    }

    private async Task GreetAsync(Socket accepted)
    {
        var connection = new BridgeConnection(sandboxId, accepted, logger);
        BridgeConnection? previous;
        int handshake;
        lock (gate)
        {
            // The newest wins from the moment it is accepted: a hostile bridge holds one connection, not thousands.
            previous = newest;
            newest = connection;
            handshake = ++handshakes;
        }

        if (previous is not null)
        {
            await previous.DisposeAsync();
        }

        try
        {
            using var timeout = new CancellationTokenSource(helloTimeout, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stopping.Token);
            await connection.ReadHelloAsync(either.Token);
            lock (gate)
            {
                if (handshake == handshakes && !stopping.IsCancellationRequested && connections.Writer.TryWrite(connection))
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
        if (!stopping.IsCancellationRequested && int.IsPow2(Interlocked.Increment(ref failedGreetings)))
        {
            LogNoHello(sandboxId, failure.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A process that is not the bridge of sandbox {SandboxId} dialled its socket: pid {Pid}, user {User}, {Count} times so far")]
    private partial void LogStranger(string sandboxId, int pid, uint user, int count);

    [LoggerMessage(LogLevel.Warning, "The bridge of sandbox {SandboxId} dialled but gave no hello: {Reason}")]
    private partial void LogNoHello(string sandboxId, string reason);

    [LoggerMessage(LogLevel.Warning, "No connection could be accepted for sandbox {SandboxId}: {Reason}")]
    private partial void LogAcceptFailed(string sandboxId, string reason);
}
