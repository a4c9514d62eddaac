using Ash.Server.Events;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Storage.Postgres;
using Ash.Server.Storage.Sqlite;
using Ash.Server.Telemetry;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Storage;

/// <summary>A real store: SQLite in a folder of its own, on a disk that the test watches, or a database of its own in Postgres.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private readonly DataFolder _data;
    private readonly IDisposable _rows;
    private readonly ServerMetrics _metrics = new();

    public TestStore()
    {
        Folder = Directory.CreateTempSubdirectory("ash-store-").FullName;
        Disk = new WatchedDisk(Folder);
        _data = DataFolder.TryOpen(Folder, out _)!;
        Location = new SqliteLocation(Folder);
        if (OnDatabaseAttribute.Current == TestDatabase.Postgres)
        {
            Postgres = new PostgresDatabase(PostgresDatabases.Read(PostgresDatabases.CreateUrl()));
            Files = new EventFiles(_data.EventFiles, int.MaxValue);
            Events = new EventStore(new PostgresEventRows(Postgres));
            _rows = Postgres;
            Writer = new StoreWriter(new PostgresStoreConnection(Postgres));
        }
        else
        {
            SqliteSchema.Migrate(Location);
            Files = new EventFiles(_data.EventFiles);
            var rows = new SqliteEventRows(Location, Files);
            Events = new EventStore(rows);
            _rows = rows;
            Writer = new StoreWriter(new SqliteStoreConnection(Location));
        }
    }

    public string Folder { get; }

    public DataFolder Data => _data;

    /// <summary>Where SQLite is.</summary>
    public WatchedDisk Disk { get; }

    /// <summary>Where SQLite is.</summary>
    public SqliteLocation Location { get; }

    /// <summary>Null where the store is SQLite.</summary>
    public PostgresDatabase? Postgres { get; }

    public EventFiles Files { get; }

    public EventStore Events { get; }

    public StoreWriter Writer { get; }

    public EventTails Tails { get; } = new();

    /// <summary>The log of a session, from its beginning.</summary>
    public SessionLog OpenLog(Guid session)
    {
        var log = new SessionLog(session, 0, Writer, Files, Tails, TimeProvider.System, _metrics);
        log.Begin(idle: true);
        return log;
    }

    public AshDbContext Read() => Postgres is null
        ? new SqliteDbContext(SqliteDbContext.OptionsFor(Location.ReaderConnectionString))
        : new PostgresDbContext(PostgresDbContext.OptionsFor(Postgres.ReaderConnectionString));

    /// <summary>Stores an API key: the smallest thing that passes through EF.</summary>
    public static void AddKey(StoreTransaction transaction, string label)
    {
        transaction.Db.ApiKeys.Add(new ApiKeyRecord { Id = Guid.CreateVersion7(), TenantId = "t", Label = label, KeyHash = label });
        transaction.Db.SaveChanges();
    }

    public async Task<IReadOnlyList<string>> LabelsAsync()
    {
        await using var db = Read();
        return await db.ApiKeys.OrderBy(key => key.Label).Select(key => key.Label).ToListAsync();
    }

    public async Task<IReadOnlyList<EventRow>> RowsAsync(Guid session)
    {
        var rows = new List<EventRow>();
        await foreach (var row in Events.ReadAllAsync(session, 0, CancellationToken.None))
        {
            rows.Add(row);
        }

        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        await Writer.DisposeAsync();
        _rows.Dispose();
        _metrics.Dispose();
        _data.Dispose();
        Disk.Dispose();
        Directory.Delete(Folder, recursive: true);
        if (Postgres is not null)
        {
            PostgresDatabases.Drop(Postgres.Address);
        }
    }
}
