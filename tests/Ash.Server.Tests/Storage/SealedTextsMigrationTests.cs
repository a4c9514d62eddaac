using System.Data.Common;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Storage;

/// <summary>What releases before the sealing stored of sessions is found by the one that seals it at the start.</summary>
[OnDatabase(TestDatabase.Sqlite)]
public class SealedTextsMigrationTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task SessionsWithSecrets_AreMarked()
    {
        await using var store = new TestStore();
        await AddSessionAsync(store, "both");
        await AddSessionAsync(store, "none");
        await AddSessionAsync(store, "servers");
        await using var connection = store.Postgres is { } postgres ? postgres.MakeWriter() : (DbConnection)store.Location.Open();
        await using AshDbContext context = store.Postgres is null
            ? new SqliteDbContext(SqliteDbContext.OptionsFor(connection))
            : new PostgresDbContext(PostgresDbContext.OptionsFor(connection));
        var migrations = context.Database.GetMigrations().ToList();
        await context.Database.MigrateAsync(migrations[migrations.FindIndex(name => name.EndsWith("_SealedTexts", StringComparison.Ordinal)) - 1], Cancelled);
        string env = """{"TOKEN":"secret"}""", config = """{"mcpServers":{"a":{"command":"secret\u0000"}},"maxTurns":3}""";
        await context.Database.ExecuteSqlAsync($"UPDATE sessions SET extra_env = {env}, config = {config} WHERE agent_name = 'both'", Cancelled);
        await context.Database.ExecuteSqlAsync($"UPDATE sessions SET config = {config} WHERE agent_name = 'servers'", Cancelled);

        await context.Database.MigrateAsync(Cancelled);

        var sessions = await context.Sessions.ToDictionaryAsync(session => session.AgentName, session => (session.Secrets, session.Config), Cancelled);
        Assert.Equal(("""{"extraEnv":{"TOKEN":"secret"}}""", config), sessions["both"]);
        Assert.Equal(("""{"extraEnv":null}""", config), sessions["servers"]);
        Assert.Equal((null, null), sessions["none"]);
    }

    private static Task AddSessionAsync(TestStore store, string name) => store.Writer.WriteAsync(Durability.Process, transaction =>
    {
        transaction.Db.Sessions.Add(new SessionRecord
        {
            Id = Guid.CreateVersion7(), TenantId = "t", AgentName = name, ContentHash = "x", PermissionMode = "default", Isolation = "full",
        });
        transaction.Db.SaveChanges();
    });
}

[OnDatabase(TestDatabase.Postgres)]
public sealed class SealedTextsMigrationOnPostgresTests : SealedTextsMigrationTests;
