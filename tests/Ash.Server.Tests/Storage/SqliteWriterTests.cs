using Ash.Server.Events;
using Ash.Server.Storage;
using Ash.Server.Storage.Sqlite;
using Ash.Server.Tests.Events;

namespace Ash.Server.Tests.Storage;

/// <summary>What the writer owes to SQLite's files, seen from the disk.</summary>
[OnDatabase(TestDatabase.Sqlite)]
public sealed class SqliteWriterTests
{
    private const int Limit = 30_000;
    private static readonly Guid Session = Guid.CreateVersion7();

    [Fact(Timeout = Limit)]
    public async Task Commit_IsSynced_OnlyWhereItMustSurviveAPowerCut()
    {
        await using var store = new TestStore();
        await AppendAsync(store, 1, Durability.Power);

        var before = store.Disk.Syncs;
        await AppendAsync(store, 2, Durability.Process);
        await AppendAsync(store, 3, Durability.Process);
        Assert.Equal(0, store.Disk.Syncs - before);

        await AppendAsync(store, 4, Durability.Power);
        Assert.Equal(1, store.Disk.Syncs - before);
        await AppendAsync(store, 5, Durability.Power);
        Assert.Equal(2, store.Disk.Syncs - before);

        await AppendAsync(store, 6, Durability.Process);
        Assert.Equal(2, store.Disk.Syncs - before);
    }

    [Fact(Timeout = Limit)]
    public async Task Commit_TakesAllThatHasQueued_InTheirOrder()
    {
        await using var store = new TestStore();
        await AppendAsync(store, 1, Durability.Power);
        var before = store.Disk.Syncs;

        using var held = new WriterHold(store.Writer);
        var waiting = Enumerable.Range(2, 200).Select(seq => AppendAsync(store, seq, Durability.Power)).ToList();
        held.Release();
        await Task.WhenAll(waiting);

        // The one that held the writer was not synced; the two hundred shared a commit.
        Assert.Equal(1, store.Disk.Syncs - before);
        Assert.Equal(Enumerable.Range(1, 201).Select(seq => (long)seq), (await store.RowsAsync(Session)).Select(row => row.Seq));
    }

    [Theory(Timeout = Limit)]
    [InlineData(Durability.Process)]
    [InlineData(Durability.Power)]
    internal async Task FullDisk_FailsEveryCaller_KeepsNothing_AndTheWriterGoesOnOnceThereIsSpace(Durability durability)
    {
        await using var store = new TestStore();
        await AppendAsync(store, 1, durability);

        store.Disk.IsFull = true;
        using (var held = new WriterHold(store.Writer))
        {
            Task[] refused =
            [
                AppendAsync(store, 2, durability),
                store.Writer.WriteAsync(durability, transaction => TestStore.AddKey(transaction, "refused")),
                AppendAsync(store, 3, durability),
            ];
            held.Release();
            foreach (var write in refused)
            {
                await Assert.ThrowsAsync<StoreException>(() => write);
            }
        }

        store.Disk.IsFull = false;
        await AppendAsync(store, 2, durability);
        await store.Writer.WriteAsync(durability, transaction => TestStore.AddKey(transaction, "kept"));
        Assert.Equal([1L, 2L], (await store.RowsAsync(Session)).Select(row => row.Seq));
        Assert.Equal(["kept"], await store.LabelsAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task CommitThatCannotBeSynced_Fails_AndTheNextOneHolds()
    {
        await using var store = new TestStore();
        await AppendAsync(store, 1, Durability.Power);

        store.Disk.FailsToSync = true;
        await Assert.ThrowsAsync<StoreException>(() => AppendAsync(store, 2, Durability.Power));
        store.Disk.FailsToSync = false;

        await AppendAsync(store, 2, Durability.Power);
        Assert.Equal([1L, 2L], (await store.RowsAsync(Session)).Select(row => row.Seq));
    }

    [Fact(Timeout = 120_000)]
    public async Task Flood_KeepsTheWriteAheadLogBounded()
    {
        const int rowBytes = 64 * 1024;
        const long flood = 3 * Checkpointer.MaxLogBytes;
        await using var store = new TestStore();
        var log = new FileInfo(store.Location.DatabasePath + "-wal");
        var payload = new byte[rowBytes];
        var longest = 0L;
        for (long seq = 1; seq <= flood / rowBytes; seq += 8)
        {
            await Task.WhenAll(Enumerable.Range((int)seq, 8).Select(n => store.Writer.WriteAsync(Durability.Process, transaction =>
                transaction.Append(Session, new EventRow(n, null, EventType.Cli, Rows.At, payload), inlinePayload: true))));
            log.Refresh();
            longest = Math.Max(longest, log.Length);
        }

        const long oneIntervalAndOneCommit = Checkpointer.IntervalBytes + (16 * rowBytes);
        Assert.InRange(longest, 1, Checkpointer.MaxLogBytes + oneIntervalAndOneCommit);
    }

    private static Task AppendAsync(TestStore store, int seq, Durability durability) =>
        store.Writer.WriteAsync(durability, transaction => transaction.Append(Session, Row(seq), inlinePayload: true));

    private static EventRow Row(long seq) => Rows.Row(seq, EventType.Error, "{}");
}
