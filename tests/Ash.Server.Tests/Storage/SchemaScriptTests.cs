using Ash.Server.Storage;
using Ash.Testing;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Ash.Server.Tests.Storage;

/// <summary>What a new database gets at once is what the migrations make of it one after another.</summary>
public sealed class SchemaScriptTests
{
    /// <remarks>After a migration: <c>ASH_TEST_WRITE_SCHEMA=1</c> writes the script.</remarks>
    [Theory]
    [InlineData("Sqlite")]
    [InlineData("Postgres")]
    public async Task Script_IsThatOfTheMigrations(string database)
    {
        await using AshDbContext context = database == "Sqlite"
            ? new SqliteDbContext(SqliteDbContext.OptionsFor("Data Source=:memory:"))
            : new PostgresDbContext(PostgresDbContext.OptionsFor("Host=127.0.0.1"));
        var script = context.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.NoTransactions).ReplaceLineEndings("\n");
        var path = Path.Combine(TestPaths.Root, "src", "Ash.Server", "Storage", "Migrations", database, "schema.sql");
        if (Environment.GetEnvironmentVariable("ASH_TEST_WRITE_SCHEMA") is { Length: > 0 })
        {
            await File.WriteAllTextAsync(path, script, TestContext.Current.CancellationToken);
            return;
        }

        Assert.True(
            script == (database == "Sqlite" ? SchemaScript.Sqlite : SchemaScript.Postgres),
            "Write the script anew, with ASH_TEST_WRITE_SCHEMA=1 (CONTRIBUTING.md).");
    }
}
