using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;

namespace Ash.Bridge.Relay;

/// <summary>Listens on loopback and pipes each connection to the broker's socket, for programs that only speak TCP.</summary>
internal sealed class RelayListener : IPollable
{
    private const int MaxConnections = 64;
    private const int Backlog = 64;

    private readonly EventLoop loop;
    private readonly SegmentPool pool;
    private readonly byte[] broker;
    private int descriptor;
    private int connections;

    private RelayListener(EventLoop loop, SegmentPool pool, int descriptor, byte[] broker)
    {
        (this.loop, this.pool, this.descriptor, this.broker) = (loop, pool, descriptor, broker);
        loop.Add(this);
    }

    public int Descriptor => descriptor;

    /// <summary>Beyond the limit connections wait in the kernel until another one ends.</summary>
    public PollEvents Interest => connections < MaxConnections ? PollEvents.Readable : PollEvents.None;

    /// <summary>0, or the error number where nothing can listen there.</summary>
    internal static unsafe int Start(EventLoop loop, SegmentPool pool, int port, string brokerPath)
    {
        var socket = Libc.Socket(
            Libc.InternetFamily, Libc.StreamSocket | Libc.OpenNonBlocking | Libc.OpenCloseOnExec, protocol: 0);
        if (socket < 0)
        {
            return Errno.Last;
        }

        Libc.SetSocketOption(socket, Libc.SocketLevel, Libc.ReuseAddress, 1, sizeof(int));
        var address = SocketAddress.Loopback(port);
        fixed (byte* start = address)
        {
            if (Libc.Bind(socket, start, (uint)address.Length) != 0 || Libc.Listen(socket, Backlog) != 0)
            {
                var error = Errno.Last;
                Native.Descriptor.Close(ref socket);
                return error;
            }
        }

        _ = new RelayListener(loop, pool, socket, SocketAddress.Unix(brokerPath));
        return 0;
    }

    public unsafe void OnReady(PollEvents events)
    {
        var client = Libc.Accept(descriptor, null, null, Libc.OpenNonBlocking | Libc.OpenCloseOnExec);
        if (client < 0)
        {
            return;
        }

        var server = SocketAddress.DialUnix(broker);
        if (server == Native.Descriptor.None)
        {
            Native.Descriptor.Close(ref client);
            return;
        }

        connections++;
        _ = new RelayConnection(loop, pool, client, server, onEnded: () => connections--);
    }
}
