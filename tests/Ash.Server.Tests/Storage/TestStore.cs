using Ash.Server.Events;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Ash.Server.Telemetry;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Storage;

/// <summary>A real store in a folder of its own, on a disk that the test watches.</summary>
internal sealed class TestStore : IAsyncDisposable
{
    private readonly DataFolder _data;
    private readonly ServerMetrics _metrics = new();

    public TestStore()
    {
        Folder = Directory.CreateTempSubdirectory("ash-store-").FullName;
        Disk = new WatchedDisk(Folder);
        _data = DataFolder.TryOpen(Folder, out _)!;
        Location = new StoreLocation(Folder);
        Schema.Migrate(Location);
        Files = new EventFiles(Location);
        Events = new EventStore(Location, Files);
        Writer = new StoreWriter(Location);
    }

    public string Folder { get; }

    public DataFolder Data => _data;

    public WatchedDisk Disk { get; }

    public StoreLocation Location { get; }

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

    public AshDbContext Read() => new SqliteDbContext(SqliteDbContext.OptionsFor(Location.ReaderConnectionString));

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
        Events.Dispose();
        _metrics.Dispose();
        _data.Dispose();
        Disk.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
