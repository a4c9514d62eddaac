using System.Data.Common;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Storage;

/// <summary>What releases before the sealing stored of sessions comes into the one text that is sealed, and stays nowhere else.</summary>
[OnDatabase(TestDatabase.Sqlite)]
public class SealedTextsMigrationTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    public async Task SecretsOfSessions_AreMovedTogether()
    {
        await using var store = new TestStore();
        await AddSessionAsync(store, "both");
        await AddSessionAsync(store, "none");
        await using var connection = store.Postgres is { } postgres ? postgres.MakeWriter() : (DbConnection)store.Location.Open();
        await using AshDbContext context = store.Postgres is null
            ? new SqliteDbContext(SqliteDbContext.OptionsFor(connection))
            : new PostgresDbContext(PostgresDbContext.OptionsFor(connection));
        var migrations = context.Database.GetMigrations().ToList();
        await context.Database.MigrateAsync(migrations[migrations.FindIndex(name => name.EndsWith("_SealedTexts", StringComparison.Ordinal)) - 1], Cancelled);
        string env = """{"TOKEN":"secret"}""", config = """{"mcpServers":{"a":{"command":"secret"}},"maxTurns":3}""";
        await context.Database.ExecuteSqlAsync($"UPDATE sessions SET extra_env = {env}, config = {config} WHERE agent_name = 'both'", Cancelled);

        await context.Database.MigrateAsync(Cancelled);

        var both = await context.Sessions.SingleAsync(session => session.AgentName == "both", Cancelled);
        Assert.Equal("""{"extraEnv":{"TOKEN":"secret"},"mcpServers":{"a":{"command":"secret"}}}""", both.Secrets!.Replace(" ", ""));
        Assert.Equal("""{"maxTurns":3}""", both.Config!.Replace(" ", ""));
        var none = await context.Sessions.SingleAsync(session => session.AgentName == "none", Cancelled);
        Assert.Null(none.Secrets);
        Assert.Null(none.Config);
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
