namespace Ash.Server.Broker;

/// <summary>Parts the sandboxes' requests from all others before anything of the public API sees them.</summary>
internal sealed class BrokerStartupFilter(BrokerHandler broker) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next)
    {
        return app =>
        {
            app.Use(publicApi => context => context.Features.Get<BrokerSocket>() is { } socket
                ? broker.HandleAsync(context, socket)
                : publicApi(context));
            next(app);
        };
    }
}
