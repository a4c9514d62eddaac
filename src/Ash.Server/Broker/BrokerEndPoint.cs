using System.Net;

namespace Ash.Server.Broker;

/// <summary>Stands in Kestrel's list of endpoints for the sockets of all sandboxes, which come and go.</summary>
internal sealed class BrokerEndPoint : EndPoint
{
    public static readonly BrokerEndPoint Instance = new();

    private BrokerEndPoint()
    {
    }

    public override string ToString() => "ash-broker";
}
