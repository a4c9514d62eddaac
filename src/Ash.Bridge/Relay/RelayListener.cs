using Ash.Bridge.Frames;
using Ash.Bridge.Loop;
using Ash.Bridge.Native;

namespace Ash.Bridge.Relay;

/// <summary>Listens on loopback and pipes each connection to the broker's socket, for programs that only speak TCP.</summary>
internal sealed class RelayListener : IPollable
{
    private const int MaxConnections = 64;
    private const int Backlog = 64;

    private readonly EventLoop _loop;
    private readonly SegmentPool _pool;
    private readonly byte[] _broker;
    private int _descriptor;
    private int _connections;

    private RelayListener(EventLoop loop, SegmentPool pool, int descriptor, byte[] broker)
    {
        (_loop, _pool, _descriptor, _broker) = (loop, pool, descriptor, broker);
        loop.Add(this);
    }

    public int Descriptor => _descriptor;

    /// <summary>Beyond the limit connections wait in the kernel until another one ends.</summary>
    public PollEvents Interest => _connections < MaxConnections ? PollEvents.Readable : PollEvents.None;

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
        var client = Libc.Accept(_descriptor, null, null, Libc.OpenNonBlocking | Libc.OpenCloseOnExec);
        if (client < 0)
        {
            return;
        }

        var server = SocketAddress.DialUnix(_broker);
        if (server == Native.Descriptor.None)
        {
            Native.Descriptor.Close(ref client);
            return;
        }

        _connections++;
        _ = new RelayConnection(_loop, _pool, client, server, onEnded: () => _connections--);
    }
}
