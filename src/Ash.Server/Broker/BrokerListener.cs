using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Ash.Server.Broker;

/// <summary>Gives Kestrel the connections that the sandboxes' accept loops have queued.</summary>
internal sealed class BrokerListener(BrokerSockets sockets) : IConnectionListener
{
    public EndPoint EndPoint => BrokerEndPoint.Instance;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await sockets.Accepted.WaitToReadAsync(cancellationToken))
        {
            if (sockets.Accepted.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    /// <summary>Ends calls in progress too: a server that waited for them could not be restarted for minutes.</summary>
    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await sockets.StopAsync();

    public async ValueTask DisposeAsync() => await sockets.StopAsync();
}
