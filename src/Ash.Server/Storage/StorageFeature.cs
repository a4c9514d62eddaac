using Ash.Server.Events;
using Microsoft.EntityFrameworkCore;

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
        services.AddPooledDbContextFactory<SqliteDbContext>(options => options
            .UseSqlite(location.ReaderConnectionString)
            .UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking));
        services.AddSingleton<IDbContextFactory<AshDbContext>, ReadContextFactory>();
        return services;
    }

    /// <summary>Brings the schema up to date, before anything reads or writes.</summary>
    public static void MigrateStorage(this DataFolder data)
    {
        using var connection = new StoreLocation(data.Path).Open();
        using var context = new SqliteDbContext(new DbContextOptionsBuilder<SqliteDbContext>().UseSqlite(connection).Options);
        context.Database.Migrate();
    }

    private sealed class ReadContextFactory(IDbContextFactory<SqliteDbContext> inner) : IDbContextFactory<AshDbContext>
    {
        public AshDbContext CreateDbContext() => inner.CreateDbContext();
    }
}
