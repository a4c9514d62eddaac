using System.Net;
using System.Net.Sockets;
using Ash.Server.Sessions;

namespace Ash.Server.Tests.Sessions;

public sealed class SessionSiloTests
{
    [Fact]
    public void Endpoint_StaysFree_WhenTheLoopbackPortIsTaken()
    {
        var endpoint = SessionSilo.FreeEndpoint();
        using var other = new TcpListener(IPAddress.Loopback, endpoint.Port);
        other.Start();

        using var silo = new TcpListener(endpoint);
        silo.Start();

        Assert.True(IPAddress.IsLoopback(endpoint.Address));
    }
}
