using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
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
        var endpoint = FreeEndpoint();
        silo.UseDevelopmentClustering(endpoint);
        silo.ConfigureEndpoints(endpoint.Address, endpoint.Port, gatewayPort: 0);
        silo.Configure<ClusterOptions>(options =>
        {
            options.ClusterId = $"ash-{data.ServerId}";
            options.ServiceId = "ash";
        });

        silo.Configure<SiloMessagingOptions>(options =>
        {
            // A wake, an exec and an end take as long as they take, and some have to wait for a place first.
            options.ResponseTimeout = settings.CapacityWait + TimeSpan.FromMinutes(10);

            // Each end lets the session's owner go; a call that comes with several is passed on by each.
            options.MaxForwardCount = 10;
        });
    });

    /// <summary>A port of a loopback address that is this server's alone: on 127.0.0.1, somebody may take it before the silo listens.</summary>
    internal static IPEndPoint FreeEndpoint()
    {
        ReadOnlySpan<byte> address = [127, .. RandomNumberGenerator.GetBytes(2), (byte)RandomNumberGenerator.GetInt32(2, 255)];
        using var probe = new TcpListener(new IPAddress(address), 0);
        probe.Start();
        return (IPEndPoint)probe.LocalEndpoint;
    }
}
