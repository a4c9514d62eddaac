using System.Net;
using System.Net.Sockets;
using Ash.Server.Configuration;
using Ash.Server.Storage;
using Orleans.Configuration;

namespace Ash.Server.Sessions;

/// <summary>The silo that owns this server's sessions: alone, on loopback, without a gateway.</summary>
internal static class SessionSilo
{
    public static void UseSessionSilo(this IHostBuilder host, ServerSettings settings, DataFolder data) => host.UseOrleans(silo =>
    {
        // Two servers on the default ports would start without an error and mix.
        var endpoint = new IPEndPoint(IPAddress.Loopback, FreePort());
        silo.UseDevelopmentClustering(endpoint);
        silo.ConfigureEndpoints(IPAddress.Loopback, endpoint.Port, gatewayPort: 0);
        silo.Configure<ClusterOptions>(options =>
        {
            options.ClusterId = $"ash-{data.ServerId}";
            options.ServiceId = "ash";
        });

        // A wake, an exec and an end take as long as they take, and some have to wait for a place first.
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = settings.CapacityWait + TimeSpan.FromMinutes(10));
    });

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
