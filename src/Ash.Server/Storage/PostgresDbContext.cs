using System.Data.Common;
using Ash.Server.Storage.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;

namespace Ash.Server.Storage;

/// <remarks>As with SQLite, all contexts have options that are alike but for their connection.</remarks>
internal sealed class PostgresDbContext(DbContextOptions<PostgresDbContext> options) : AshDbContext(options)
{
    public static DbContextOptions<PostgresDbContext> OptionsFor(DbConnection connection) => Builder().UseNpgsql(connection, Configure).Options;

    /// <summary>For contexts that only read.</summary>
    public static DbContextOptions<PostgresDbContext> OptionsFor(string connectionString) =>
        Builder().UseNpgsql(connectionString, Configure).UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking).Options;

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);

        // By their bytes, as SQLite sorts and compares, whatever language the database was made in.
        configurationBuilder.Properties<string>().HaveConversion<StorableTextConverter>().UseCollation("C");
    }

    private static DbContextOptionsBuilder<PostgresDbContext> Builder() => new DbContextOptionsBuilder<PostgresDbContext>()
        .ConfigureWarnings(static warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning));

    // A failure comes as the exception that it is; Npgsql's own strategy would wrap those that may pass.
    private static void Configure(NpgsqlDbContextOptionsBuilder npgsql) => npgsql
        .SetPostgresVersion(PostgresSchema.OldestVersion)
        .ExecutionStrategy(static dependencies => new NonRetryingExecutionStrategy(dependencies));
}
