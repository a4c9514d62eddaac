using Ash.Server.Configuration;
using Ash.Server.Events;
using Ash.Server.Storage.Postgres;
using Ash.Server.Storage.Sqlite;
using Ash.Server.Telemetry;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Ash.Server.Storage;

/// <summary>What the host must know to keep things: the data folder, the store in one of two databases, and its one writer.</summary>
/// <remarks>Each database has methods of its own, so that a server never loads the other's library.</remarks>
internal static class StorageFeature
{
    /// <summary>Adds the store, its tables up to date.</summary>
    /// <exception cref="StoreException">The database cannot be used; the message says why, and what helps.</exception>
    public static async Task AddStorageAsync(this IServiceCollection services, DataFolder data, ServerSettings settings)
    {
        services.AddSingleton(data);
        services.AddSingleton<EventStore>();
        services.AddSingleton<IEventPages>(provider => provider.GetRequiredService<EventStore>());
        services.AddSingleton<TurnStore>();
        if (settings.Database is { } address)
        {
            await AddPostgresAsync(services, data, address);
        }
        else
        {
            AddSqlite(services, data);
        }
    }

    private static void AddSqlite(IServiceCollection services, DataFolder data)
    {
        var location = new SqliteLocation(data.Path);
        SqliteSchema.Migrate(location);
        services.AddSingleton(location);
        services.AddSingleton(BootRecord.Read(data));
        services.AddSingleton(provider => new StoreWriter(new SqliteStoreConnection(location), provider.GetRequiredService<ServerMetrics>()));
        services.AddSingleton(new EventFiles(data.EventFiles));
        services.AddSingleton<IEventRows, SqliteEventRows>();
        services.AddReaders(new PooledDbContextFactory<SqliteDbContext>(SqliteDbContext.OptionsFor(location.ReaderConnectionString)));
    }

    private static async Task AddPostgresAsync(IServiceCollection services, DataFolder data, PostgresAddress address)
    {
        var database = new PostgresDatabase(address);
        var mark = await PostgresStart.PrepareAsync(database, TimeProvider.System, Console.WriteLine);
        services.AddSingleton(_ => database); // By a factory: it is disposed of with the others.
        services.AddSingleton(BootRecord.Compare(data, mark));
        services.AddSingleton(provider => new StoreWriter(
            new PostgresStoreConnection(provider.GetRequiredService<PostgresDatabase>()), provider.GetRequiredService<ServerMetrics>()));

        // In the rows, however large: another machine reads them too.
        services.AddSingleton(new EventFiles(data.EventFiles, maxRowBytes: int.MaxValue));
        services.AddSingleton<IEventRows, PostgresEventRows>();
        services.AddReaders(new PooledDbContextFactory<PostgresDbContext>(PostgresDbContext.OptionsFor(database.ReaderConnectionString)));
    }

    /// <summary>Readers only: what is written passes the one writer.</summary>
    private static void AddReaders<T>(this IServiceCollection services, IDbContextFactory<T> contexts)
        where T : AshDbContext => services.AddSingleton<IDbContextFactory<AshDbContext>>(new ReadContextFactory<T>(contexts));

    private sealed class ReadContextFactory<T>(IDbContextFactory<T> inner) : IDbContextFactory<AshDbContext>
        where T : AshDbContext
    {
        public AshDbContext CreateDbContext() => inner.CreateDbContext();
    }
}
