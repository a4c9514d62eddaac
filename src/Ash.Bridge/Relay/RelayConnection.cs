using Ash.Bridge.Frames;
using Ash.Bridge.Loop;

namespace Ash.Bridge.Relay;

/// <summary>Two sockets joined: what comes from one goes to the other, each direction ends by itself, an error ends both.</summary>
internal sealed class RelayConnection
{
    private readonly RelayEnd _client;
    private readonly RelayEnd _server;
    private readonly Action _onEnded;

    internal RelayConnection(EventLoop loop, SegmentPool pool, int client, int server, Action onEnded)
    {
        _onEnded = onEnded;
        _client = new(loop, pool, client, this);
        _server = new(loop, pool, server, this);
    }

    internal RelayEnd OtherEnd(RelayEnd end) => end == _client ? _server : _client;

    internal void EndIfDone()
    {
        if (_client.IsDone && _server.IsDone)
        {
            End();
        }
    }

    /// <summary>Closes both sockets. Harmless when repeated.</summary>
    internal void End()
    {
        if (_client.Close() | _server.Close())
        {
            _onEnded();
        }
    }
}
