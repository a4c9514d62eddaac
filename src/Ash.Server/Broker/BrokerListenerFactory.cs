using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Ash.Server.Broker;

/// <summary>Binds <see cref="BrokerEndPoint"/> and leaves every other endpoint to Kestrel's own transport.</summary>
internal sealed class BrokerListenerFactory(BrokerSockets sockets) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is BrokerEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        return ValueTask.FromResult<IConnectionListener>(new BrokerListener(sockets));
    }
}
