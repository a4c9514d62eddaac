using Ash.Server.Storage;
using Ash.Server.Storage.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Tests.Storage;

[OnDatabase(TestDatabase.Sqlite)]
public sealed class SchemaTests
{
    [Fact]
    public async Task Migrations_HoldAllThatTheModelHas()
    {
        await using var store = new TestStore();
        await using var context = store.Read();

        Assert.False(context.Database.HasPendingModelChanges(), "Add a migration: dotnet ef migrations add (CONTRIBUTING.md).");
    }

    [Fact]
    public async Task StoreOfAnOlderVersion_IsBroughtUpToDate_AndKeepsWhatItHas()
    {
        await using var store = new TestStore();
        await store.Writer.WriteAsync(Durability.Power, transaction => TestStore.AddKey(transaction, "old"));
        using (var connection = store.Location.Open())
        {
            await using var context = new SqliteDbContext(SqliteDbContext.OptionsFor(connection));
            var first = context.Database.GetMigrations().First();
            await context.Database.MigrateAsync(first, TestContext.Current.CancellationToken);
            Assert.NotEmpty(context.Database.GetPendingMigrations());
        }

        SqliteSchema.Migrate(store.Location);

        await using var migrated = store.Read();
        Assert.Empty(migrated.Database.GetPendingMigrations());
        Assert.Equal(["old"], await store.LabelsAsync());
    }
}
