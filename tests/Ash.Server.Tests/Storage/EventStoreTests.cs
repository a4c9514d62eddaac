using System.Text;
using Ash.Server.Events;
using Ash.Server.Sessions;
using Ash.Server.Storage;

namespace Ash.Server.Tests.Storage;

public sealed class EventStoreTests
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
    public async Task PayloadAboveAMegabyte_LiesInAFile_AndIsReadLikeAnyOther()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        await log.AppendAsync([new(EventType.Cli, null, Large, IsPartial: true)], Durability.Process, idle: true);

        Assert.Equal(Large, Assert.Single(await store.RowsAsync(Session)).Payload.ToArray());
        Assert.Equal(Large.Length, new FileInfo(FileOf(store, 1)).Length);
        Assert.InRange(new FileInfo(store.Location.DatabasePath).Length, 1, Large.Length / 2);
    }

    [Fact(Timeout = Limit)]
    public async Task FileWhoseRowWasNeverCommitted_IsHarmless_AndReplacedByTheNext()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        await Assert.ThrowsAsync<InvalidOperationException>(() => log.AppendAsync(
            [new(EventType.Cli, null, Large)], Durability.Process, idle: true, static (_, _) => throw new InvalidOperationException("crash")));
        Assert.True(File.Exists(FileOf(store, 1)));
        Assert.Empty(await store.RowsAsync(Session));

        await log.AppendAsync([new(EventType.Error, null, Bytes("""{"small":1}"""))], Durability.Process, idle: true);
        Assert.Equal("""{"small":1}""", Text(Assert.Single(await store.RowsAsync(Session)).Payload));

        var other = Large[..^3].Append((byte)'"').Append((byte)'}').ToArray();
        await log.AppendAsync([new(EventType.Cli, null, other)], Durability.Process, idle: true);
        Assert.Equal(other, (await store.RowsAsync(Session))[1].Payload.ToArray());

        store.Files.Remove(Session);
        Assert.False(Directory.Exists(Path.GetDirectoryName(FileOf(store, 1))));
    }

    [Fact(Timeout = Limit)]
    public async Task MissingFile_IsAStoreException_AndTheReaderCanBeUsedAgain()
    {
        await using var store = new TestStore();
        using var log = store.OpenLog(Session);
        await log.AppendAsync([new(EventType.Cli, null, Large)], Durability.Process, idle: true);
        store.Files.Remove(Session);

        await Assert.ThrowsAsync<StoreException>(() => store.RowsAsync(Session));
        Assert.Equal(1, await store.Events.FindHeadAsync(Session, CancellationToken.None));
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

    private static string FileOf(TestStore store, long seq) => Path.Combine(store.Location.EventFiles, Session.ToString(), $"{seq}");

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static string Text(EventRow row) => $"{row.Seq} {row.TurnId} {row.Type} {row.At.ToUnixTimeMilliseconds()} {Text(row.Payload)}";
}
