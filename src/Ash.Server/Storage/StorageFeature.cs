using Ash.Server.Events;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Ash.Server.Storage;

/// <summary>What the host must know to keep things: the data folder, the store and its one writer.</summary>
internal static class StorageFeature
{
    public static IServiceCollection AddStorage(this IServiceCollection services, DataFolder data)
    {
        var location = new StoreLocation(data.Path);
        services.AddSingleton(data);
        services.AddSingleton(BootRecord.Read(data));
        services.AddSingleton(location);
        services.AddSingleton<StoreWriter>();
        services.AddSingleton<EventFiles>();
        services.AddSingleton<EventStore>();
        services.AddSingleton<IEventPages>(provider => provider.GetRequiredService<EventStore>());
        services.AddSingleton<TurnStore>();

        // Readers only: what is written passes the one writer.
        services.AddSingleton<IDbContextFactory<AshDbContext>>(new ReadContextFactory(
            new PooledDbContextFactory<SqliteDbContext>(SqliteDbContext.OptionsFor(location.ReaderConnectionString))));
        return services;
    }

    private sealed class ReadContextFactory(IDbContextFactory<SqliteDbContext> inner) : IDbContextFactory<AshDbContext>
    {
        public AshDbContext CreateDbContext() => inner.CreateDbContext();
    }
}
