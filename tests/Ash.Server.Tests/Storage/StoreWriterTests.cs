using Ash.Server.Events;
using Ash.Server.Storage;
using Ash.Server.Tests.Events;

namespace Ash.Server.Tests.Storage;

public class StoreWriterTests
{
    private const int Limit = 30_000;
    private static readonly Guid Session = Guid.CreateVersion7();

    [Fact(Timeout = Limit)]
    public async Task FailingDelegate_TakesNothingElseOfItsCommitWithIt()
    {
        await using var store = new TestStore();
        using var held = new WriterHold(store.Writer);
        var first = store.Writer.WriteAsync(Durability.Process, transaction => TestStore.AddKey(transaction, "first"));
        var failing = store.Writer.WriteAsync(Durability.Process, transaction =>
        {
            TestStore.AddKey(transaction, "undone");
            transaction.Append(Session, Row(1), inlinePayload: true);
            throw new InvalidOperationException("on purpose");
        });
        var last = store.Writer.WriteAsync(Durability.Process, transaction => TestStore.AddKey(transaction, "last"));
        held.Release();

        await first;
        await last;
        Assert.Equal("on purpose", (await Assert.ThrowsAsync<InvalidOperationException>(() => failing)).Message);
        Assert.Equal(["first", "last"], await store.LabelsAsync());
        Assert.Empty(await store.RowsAsync(Session));
    }

    [Fact(Timeout = Limit)]
    public async Task FailedDelegate_LeavesNothingInEf_ThatAnotherWouldSave()
    {
        await using var store = new TestStore();
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Writer.WriteAsync(Durability.Process, transaction =>
        {
            transaction.Db.ApiKeys.Add(new ApiKeyRecord { Id = Guid.CreateVersion7(), TenantId = "t", Label = "undone", KeyHash = "undone" });
            throw new InvalidOperationException("before it was saved");
        }));

        await store.Writer.WriteAsync(Durability.Process, transaction => TestStore.AddKey(transaction, "kept"));
        Assert.Equal(["kept"], await store.LabelsAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task DelegateThatBreaksTheSchema_GetsAStoreException_WhicheverWayItWrites()
    {
        await using var store = new TestStore();
        await store.Writer.WriteAsync(Durability.Process, transaction => TestStore.AddKey(transaction, "one"));
        await AppendAsync(store, 1, Durability.Process);

        await Assert.ThrowsAsync<StoreException>(() =>
            store.Writer.WriteAsync(Durability.Process, transaction => TestStore.AddKey(transaction, "one")));
        await Assert.ThrowsAsync<StoreException>(() => AppendAsync(store, 1, Durability.Process));
        Assert.Single(await store.RowsAsync(Session));
    }

    [Fact(Timeout = Limit)]
    public async Task Disposal_CommitsWhatWaits_AndRefusesWhatComesAfter()
    {
        await using var store = new TestStore();
        using var held = new WriterHold(store.Writer);
        var waiting = Enumerable.Range(1, 50).Select(seq => AppendAsync(store, seq, Durability.Process)).ToList();
        var disposal = store.Writer.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => AppendAsync(store, 51, Durability.Process));

        held.Release();
        await disposal;
        await Task.WhenAll(waiting);
        Assert.Equal(50, (await store.RowsAsync(Session)).Count);
    }

    [Fact(Timeout = Limit)]
    public async Task Readers_CannotWrite()
    {
        await using var store = new TestStore();
        await using var db = store.Read();
        db.ApiKeys.Add(new ApiKeyRecord { Id = Guid.CreateVersion7(), TenantId = "t", Label = "l", KeyHash = "h" });
        await Assert.ThrowsAnyAsync<Exception>(() => db.SaveChangesAsync());
        Assert.Empty(await store.LabelsAsync());
    }

    private static Task AppendAsync(TestStore store, int seq, Durability durability) =>
        store.Writer.WriteAsync(durability, transaction => transaction.Append(Session, Row(seq), inlinePayload: true));

    private static EventRow Row(long seq) => Rows.Row(seq, EventType.Error, "{}");
}

[OnDatabase(TestDatabase.Postgres)]
public sealed class StoreWriterOnPostgresTests : StoreWriterTests;
