using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Ash.Server.Broker;

/// <summary>What the host must know to offer sandboxes their way out: <c>AddBroker</c> and Kestrel's <c>ListenBroker</c>.</summary>
/// <remarks>The host registers an <see cref="IModelCallAuthority"/>.</remarks>
internal static class BrokerFeature
{
    public static IServiceCollection AddBroker(this IServiceCollection services)
    {
        services.AddOptions<BrokerOptions>().BindConfiguration(BrokerOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BrokerOptions>, BrokerOptionsValidator>();
        services.AddOptions<ModelUpstream>()
            .Configure<IConfiguration>((upstream, configuration) => upstream.Read(configuration))
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<ModelUpstream>, ModelUpstreamValidator>();

        services.AddHttpForwarder();
        // The forwarder writes two lines a call; the broker writes its own, with the sandbox in it.
        services.AddLogging(logging => logging.AddFilter("Yarp.ReverseProxy.Forwarder", LogLevel.Error));
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ModelClient>();
        services.AddSingleton<RetryBuffers>();
        services.AddSingleton<ModelForwarder>();
        services.AddSingleton<BrokerHandler>();
        services.AddSingleton<BrokerSockets>();
        services.AddSingleton<IConnectionListenerFactory, BrokerListenerFactory>();

        // First of all start-up filters, and so outside everything an application can put in front of a request (host
        // filtering, routing, authentication): no order of lines in Program.cs can let a sandbox past it.
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, BrokerStartupFilter>());
        return services;
    }

    /// <summary>Serves the sockets of all sandboxes, beside whatever else the server listens on.</summary>
    /// <remarks>
    /// Endpoints given in code replace those of <c>--urls</c>: the public one must be given in code too. The server's list of
    /// addresses then also has an entry for <see cref="BrokerEndPoint"/>.
    /// </remarks>
    public static void ListenBroker(this KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Listen(BrokerEndPoint.Instance, listen => listen.Protocols = HttpProtocols.Http1);
    }
}
