using Microsoft.EntityFrameworkCore.Design;

namespace Ash.Server.Storage.Sqlite;

/// <summary>For <c>dotnet ef migrations add</c> alone.</summary>
internal sealed class SqliteDesignFactory : IDesignTimeDbContextFactory<SqliteDbContext>
{
    public SqliteDbContext CreateDbContext(string[] args) =>
        new(SqliteDbContext.OptionsFor("Data Source=design.db"));
}
