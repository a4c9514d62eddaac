using System.Text;
using Ash.Server.Events;
using Ash.Server.Sessions;
using Ash.Server.Storage;

namespace Ash.Server.Tests.Storage;

public class EventStoreTests
{
    private const int Limit = 30_000;
    private static readonly Guid Session = Guid.CreateVersion7();
    private static readonly byte[] Large = Encoding.UTF8.GetBytes($$"""{"large":"{{new string('x', 1024 * 1024)}}"}""");

    [Fact(Timeout = Limit)]
    public async Task Rows_ComeBackAsTheyWereAppended()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        var turn = Guid.CreateVersion7();
        var appended = await log.AppendAsync([new(EventType.Cli, turn, Bytes("""{"a":"ü"}""")), new(EventType.SessionPaused, null, Bytes("{}"))], Durability.Process, idle: true);

        var page = await store.Events.ReadAsync(Session, 0, 10, CancellationToken.None);
        Assert.False(page.HasMore);
        Assert.Empty(page.Pruned);
        Assert.Equal(appended.Select(Text), page.Rows.Select(Text));
        Assert.Equal(2, await store.Events.FindHeadAsync(Session, CancellationToken.None));
        Assert.Equal(0, await store.Events.FindHeadAsync(Guid.CreateVersion7(), CancellationToken.None));
    }

    [Fact(Timeout = Limit)]
    public async Task Pages_EndAtTheirLimit_AndSayThatThereMayBeMore()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        await log.AppendAsync([.. Enumerable.Repeat(new LogEntry(EventType.Error, null, Bytes("{}")), 5)], Durability.Process, idle: true);

        Assert.Equal("1 2 3 more", Describe(await store.Events.ReadAsync(Session, 0, 3, CancellationToken.None)));
        Assert.Equal("4 5", Describe(await store.Events.ReadAsync(Session, 3, 3, CancellationToken.None)));
        Assert.Equal("", Describe(await store.Events.ReadAsync(Session, 5, 3, CancellationToken.None)));
    }

    [Fact(Timeout = Limit)]
    public async Task Pages_HoldAboutAMegabyte()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        var entry = new LogEntry(EventType.Cli, null, new byte[400 * 1024]);
        await log.AppendAsync([entry, entry, entry, entry, entry], Durability.Process, idle: true);

        var page = await store.Events.ReadAsync(Session, 0, 500, CancellationToken.None);
        Assert.Equal((3, true), (page.Rows.Count, page.HasMore));
        Assert.Equal(5, (await store.RowsAsync(Session)).Count);
    }

    [Fact(Timeout = Limit)]
    public async Task PayloadAboveAMegabyte_IsReadLikeAnyOther()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        await log.AppendAsync(
            [new(EventType.Cli, null, Large), new(EventType.Cli, null, Large), new(EventType.Error, null, Bytes("{}"))], Durability.Process, idle: true);

        var page = await store.Events.ReadAsync(Session, 0, 10, CancellationToken.None);
        Assert.Equal("1 more", Describe(page));
        Assert.Equal(Large, page.Rows[0].Payload.ToArray());
        Assert.Equal(3, (await store.RowsAsync(Session)).Count);
    }

    [Fact(Timeout = Limit)]
    public async Task FailedAppend_UsesNoNumber()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        await Assert.ThrowsAsync<InvalidOperationException>(() => log.AppendAsync(
            [new(EventType.Error, null, Bytes("{}"))], Durability.Process, idle: true, static (_, _) => throw new InvalidOperationException()));
        Assert.Equal(0, log.Head);

        await log.AppendAsync([new(EventType.Error, null, Bytes("{}"))], Durability.Process, idle: true);
        Assert.Equal(1, Assert.Single(await store.RowsAsync(Session)).Seq);
    }

    [Fact(Timeout = Limit)]
    public async Task RemovedRows_AreReported_AndAPowerCutsGapIsNot()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        var entry = new LogEntry(EventType.Error, null, Bytes("{}"));
        var delta = entry with { IsPartial = true };
        await log.AppendAsync([entry, delta, delta, entry, delta, entry], Durability.Process, idle: true);
        log.SkipAfterPowerLoss();
        await log.AppendAsync([entry], Durability.Process, idle: true);
        await store.Writer.WriteAsync(Durability.Process, transaction => transaction.RemoveDeltas(Session, 1, 6, 100));

        var page = await store.Events.ReadAsync(Session, 0, 100, CancellationToken.None);
        Assert.Equal([1, 4, 6, 1_000_007], page.Rows.Select(row => row.Seq));
        Assert.Equal([new SeqRange(2, 3), new SeqRange(5, 5)], page.Pruned);

        // A client that saw rows which the disk did not keep reads on at the next one, and is not told that they were removed.
        var lost = await store.Events.ReadAsync(Session, 9, 100, CancellationToken.None);
        Assert.Equal([1_000_007], lost.Rows.Select(row => row.Seq));
        Assert.Empty(lost.Pruned);
    }

    private static string Describe(EventPage page) => string.Join(' ', [.. page.Rows.Select(row => $"{row.Seq}"), .. page.HasMore ? ["more"] : Array.Empty<string>()]);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static string Text(EventRow row) => $"{row.Seq} {row.TurnId} {row.Type} {row.At.ToUnixTimeMilliseconds()} {Text(row.Payload)}";
}

[OnDatabase(TestDatabase.Postgres)]
public sealed class EventStoreOnPostgresTests : EventStoreTests;
