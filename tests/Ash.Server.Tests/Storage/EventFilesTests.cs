using System.Text;
using Ash.Server.Events;
using Ash.Server.Storage;

namespace Ash.Server.Tests.Storage;

/// <summary>Payloads that are too large for a row of SQLite.</summary>
[OnDatabase(TestDatabase.Sqlite)]
public sealed class EventFilesTests
{
    private const int Limit = 30_000;
    private static readonly Guid Session = Guid.CreateVersion7();
    private static readonly byte[] Large = Encoding.UTF8.GetBytes($$"""{"large":"{{new string('x', 1024 * 1024)}}"}""");

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

    private static string FileOf(TestStore store, long seq) => Path.Combine(store.Data.EventFiles, Session.ToString(), $"{seq}");

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
