using Microsoft.EntityFrameworkCore.Design;

namespace Ash.Server.Storage.Postgres;

/// <summary>For <c>dotnet ef migrations add</c> alone.</summary>
internal sealed class PostgresDesignFactory : IDesignTimeDbContextFactory<PostgresDbContext>
{
    public PostgresDbContext CreateDbContext(string[] args) =>
        new(PostgresDbContext.OptionsFor("Host=design"));
}
