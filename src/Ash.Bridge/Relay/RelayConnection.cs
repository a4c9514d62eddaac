using Ash.Bridge.Frames;
using Ash.Bridge.Loop;

namespace Ash.Bridge.Relay;

/// <summary>Two sockets joined: what comes from one goes to the other, each direction ends by itself, an error ends both.</summary>
internal sealed class RelayConnection
{
    private readonly RelayEnd client;
    private readonly RelayEnd server;
    private readonly Action onEnded;

    internal RelayConnection(EventLoop loop, SegmentPool pool, int client, int server, Action onEnded)
    {
        this.onEnded = onEnded;
        this.client = new(loop, pool, client, this);
        this.server = new(loop, pool, server, this);
    }

    internal RelayEnd OtherEnd(RelayEnd end) => end == client ? server : client;

    internal void EndIfDone()
    {
        if (client.IsDone && server.IsDone)
        {
            End();
        }
    }

    /// <summary>Closes both sockets. Harmless when repeated.</summary>
    internal void End()
    {
        if (client.Close() | server.Close())
        {
            onEnded();
        }
    }
}
