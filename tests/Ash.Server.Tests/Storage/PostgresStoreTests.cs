using System.Globalization;
using Ash.Server.Events;
using Ash.Server.Storage;
using Ash.Server.Storage.Postgres;
using Ash.Server.Tests.Events;
using Ash.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;

namespace Ash.Server.Tests.Storage;

/// <summary>What is Postgres' own: its start, its schema, its connections.</summary>
[OnDatabase(TestDatabase.Postgres)]
public sealed class PostgresStoreTests
{
    private const int Limit = 60_000;
    private static readonly Guid Session = Guid.CreateVersion7();

    [Fact(Timeout = Limit)]
    public async Task Migrations_HoldAllThatTheModelHas()
    {
        await using var store = new TestStore();
        await using var context = store.Read();

        Assert.False(context.Database.HasPendingModelChanges(), "Add a migration: dotnet ef migrations add (CONTRIBUTING.md).");
        Assert.Empty(context.Database.GetPendingMigrations());
    }

    [Fact(Timeout = Limit)]
    public async Task ServersThatStartAtOnce_MigrateOnce()
    {
        using var database = new PostgresDatabase(PostgresDatabases.Read(PostgresDatabases.CreateEmptyUrl()));

        var marks = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => PrepareAsync(database))));

        Assert.Single(marks.Distinct());
        await using var context = new PostgresDbContext(PostgresDbContext.OptionsFor(database.ReaderConnectionString));
        Assert.Empty(context.Database.GetPendingMigrations());
    }

    [Fact(Timeout = Limit)]
    public async Task DatabaseThatIsStarting_IsWaitedFor()
    {
        var port = AshServer.FreePort();
        using var database = new PostgresDatabase(PostgresDatabases.Read($"postgres://ash:ash@127.0.0.1:{port}/postgres"));
        var clock = new FakeTimeProvider();
        var said = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);

        var preparing = PostgresStart.PrepareAsync(database, clock, line => said.TrySetResult(line));
        Assert.Equal(
            $"Waiting for the database postgres://ash@127.0.0.1:{port}/postgres (Connection refused); next try in 1 s", await said.Task);
        await using var cluster = await PostgresCluster.StartAsync(port);
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.StartsWith("postgres ", await preparing, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task DatabaseThatStaysAway_IsGivenUpAfterSixTries()
    {
        using var database = new PostgresDatabase(PostgresDatabases.Read($"postgres://ash:secret@127.0.0.1:{AshServer.FreePort()}/ash"));
        var clock = new FakeTimeProvider();
        List<string> pauses = [];

        var preparing = PostgresStart.PrepareAsync(database, clock, line =>
        {
            pauses.Add(line[line.IndexOf("next", StringComparison.Ordinal)..]);
        });
        while (!preparing.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        var failure = await Assert.ThrowsAsync<StoreException>(() => preparing);
        Assert.EndsWith("does not answer (Connection refused); start it, or correct ASH_DATABASE_URL", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(["next try in 1 s", "next try in 2 s", "next try in 4 s", "next try in 8 s", "next try in 16 s"], pauses);
    }

    [Theory(Timeout = Limit)]
    [InlineData("postgres://ash:wrong@{0}/{1}", "it does not take the password of user ash")]
    [InlineData("postgres://ash:ash@{0}/no_such", "it has no database \"no_such\"; create it (CREATE DATABASE \"no_such\" OWNER \"ash\")")]
    [InlineData("postgres://ash:ash@{0}/{1}?sslmode=require", "sslmode")]
    public async Task WrongUrl_IsRefusedAtOnce_WithARemedy(string form, string remedy)
    {
        var right = PostgresDatabases.Read(PostgresDatabases.CreateEmptyUrl());
        var url = string.Format(CultureInfo.InvariantCulture, form, $"{right.Host}:{right.Port}", right.Database);
        using var database = new PostgresDatabase(PostgresDatabases.Read(url));

        var failure = await Assert.ThrowsAsync<StoreException>(() => PrepareAsync(database));

        Assert.Contains(remedy, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task UserWhoMayNotMakeTables_IsToldSo()
    {
        var address = PostgresDatabases.Read(PostgresDatabases.CreateEmptyUrl());
        PostgresDatabases.Execute($"CREATE USER u_{address.Database} PASSWORD 'p'");
        using var database = new PostgresDatabase(PostgresDatabases.Read($"postgres://u_{address.Database}:p@127.0.0.1:{address.Port}/{address.Database}"));

        var failure = await Assert.ThrowsAsync<StoreException>(() => PrepareAsync(database));

        Assert.Contains($"make it the owner (ALTER DATABASE \"{address.Database}\" OWNER TO \"u_{address.Database}\")", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task Commit_IsSynced_OnlyWhereItMustSurviveAPowerCut()
    {
        await using var store = new TestStore();

        Assert.Equal("on", await SettingAsync(store, Durability.Power));
        Assert.Equal("off", await SettingAsync(store, Durability.Process));
        Assert.Equal("on", await SettingAsync(store, Durability.Power));
    }

    [Fact(Timeout = Limit)]
    public async Task BrokenConnection_FailsTheWritesOnIt_AndIsOpenedAnewAtTheNext()
    {
        await using var store = new TestStore();
        await AppendAsync(store, 1);
        Assert.Single(await store.RowsAsync(Session));

        Terminate(store);
        Task[] refused = [AppendAsync(store, 2), store.Writer.WriteAsync(Durability.Process, transaction => TestStore.AddKey(transaction, "refused"))];
        foreach (var write in refused)
        {
            // The writer may have taken the first alone, and then the second has a new connection already.
            await (write == refused[0] ? Assert.ThrowsAsync<StoreException>(() => write) : write.ContinueWith(static _ => { }, TaskScheduler.Default));
        }

        await AppendAsync(store, 2);
        await store.Writer.WriteAsync(Durability.Power, transaction => TestStore.AddKey(transaction, "kept"));
        Assert.Equal([1L, 2L], (await store.RowsAsync(Session)).Select(row => row.Seq));
        Assert.Contains("kept", await store.LabelsAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task ConnectionThatBreaksInADelegate_FailsItAndWhatSharesItsCommit()
    {
        await using var store = new TestStore();
        using var held = new WriterHold(store.Writer);
        var before = AppendAsync(store, 1);
        var breaking = store.Writer.WriteAsync(Durability.Process, transaction =>
        {
            TestStore.AddKey(transaction, "lost");
            Terminate(store);
            TestStore.AddKey(transaction, "never");
        });
        var after = store.Writer.WriteAsync(Durability.Process, transaction => TestStore.AddKey(transaction, "after"));
        held.Release();

        await Assert.ThrowsAsync<StoreException>(() => before);
        await Assert.ThrowsAsync<StoreException>(() => breaking);
        await Assert.ThrowsAsync<StoreException>(() => after);
        Assert.Empty(await store.LabelsAsync());
        await AppendAsync(store, 1);
        Assert.Single(await store.RowsAsync(Session));
    }

    [Fact(Timeout = Limit)]
    public async Task StatementsThatFail_TakeOnlyTheirOwnDelegate_WhateverItsNeighboursUse()
    {
        await using var store = new TestStore();
        await AppendAsync(store, 1);
        using var held = new WriterHold(store.Writer);
        List<(Task Write, bool IsKept)> writes = [];
        for (var i = 0; i < 5; i++)
        {
            var seq = 10 + (10 * i);
            writes.Add((AppendAsync(store, seq), true));
            writes.Add((AppendAsync(store, 1), false));
            writes.Add((store.Writer.WriteAsync(Durability.Process, transaction =>
            {
                TestStore.AddKey(transaction, $"kept {seq}");
                transaction.Append(Session, Row(seq + 1), inlinePayload: true);
            }), true));

            // Its key is in the transaction when its row is refused.
            writes.Add((store.Writer.WriteAsync(Durability.Process, transaction =>
            {
                TestStore.AddKey(transaction, $"undone {seq}");
                transaction.Append(Session, Row(1), inlinePayload: true);
            }), false));
            writes.Add((AppendAsync(store, seq + 2), true));
            writes.Add((AppendAsync(store, seq + 2), false));
            writes.Add((store.Writer.WriteAsync(Durability.Process, transaction => transaction.RemoveEvents(Guid.CreateVersion7(), 5)), true));
        }

        held.Release();
        foreach (var (write, isKept) in writes)
        {
            await (isKept ? write : Assert.ThrowsAsync<StoreException>(() => write));
        }

        long[] expected = [1, .. Enumerable.Range(1, 5).SelectMany(i => new long[] { 10 * i, (10 * i) + 1, (10 * i) + 2 })];
        Assert.Equal(expected, (await store.RowsAsync(Session)).Select(row => row.Seq));
        Assert.Equal(["kept 10", "kept 20", "kept 30", "kept 40", "kept 50"], await store.LabelsAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task SecondServer_IsRefused()
    {
        await using var store = new TestStore();

        var failure = await Assert.ThrowsAsync<StoreException>(() => Task.Run(() => new PostgresStoreConnection(store.Postgres!)));

        Assert.Contains("is in use by another server", failure.Message, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task TextWithTheOneCharacterThatPostgresLacks_IsStoredWithAnotherInItsPlace()
    {
        await using var store = new TestStore();
        await store.Writer.WriteAsync(Durability.Process, transaction =>
        {
            TestStore.AddKey(transaction, "a\0b");
            transaction.InsertTurn(Session, Session, 1, "m\0", null, Rows.At);
        });

        await using var db = store.Read();
        Assert.Equal("a\uFFFDb", Assert.Single(await store.LabelsAsync()));
        Assert.Equal("m\uFFFD", (await db.Turns.SingleAsync(TestContext.Current.CancellationToken)).Model);
        Assert.True(await db.ApiKeys.AnyAsync(key => key.Label == "a\0b", TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = Limit)]
    public async Task Mark_StaysOverARestartInOrder_AndIsAnotherAfterACrash()
    {
        await using var cluster = await PostgresCluster.StartAsync();
        using var database = new PostgresDatabase(PostgresDatabases.Read(cluster.UrlOf("postgres")));
        var first = await PrepareAsync(database);
        Assert.Equal(first, await PrepareAsync(database));

        // One process of it that dies takes all of its memory along, and what was not synced with it.
        await using (var connection = database.MakeWriter())
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            ProcessSignals.Send(connection.ProcessID, ProcessSignals.Kill);
        }

        Assert.NotEqual(first, await PrepareAsync(database));
    }

    private static Task<string> PrepareAsync(PostgresDatabase database) =>
        PostgresStart.PrepareAsync(database, TimeProvider.System, static _ => { });

    private static void Terminate(TestStore store) => PostgresDatabases.Execute(
        $"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{store.Postgres!.Address.Database}'");

    private static Task<string> SettingAsync(TestStore store, Durability durability) => store.Writer.WriteAsync(
        durability, static transaction => transaction.Db.Database.SqlQueryRaw<string>("SHOW synchronous_commit").AsEnumerable().Single());

    private static Task AppendAsync(TestStore store, int seq) =>
        store.Writer.WriteAsync(Durability.Process, transaction => transaction.Append(Session, Row(seq), inlinePayload: true));

    private static EventRow Row(long seq) => Rows.Row(seq, EventType.Error, "{}");
}
