using System.Data.Common;
using Ash.Server.Storage.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Ash.Server.Storage;

/// <remarks>
/// All contexts have options that are alike but for their connection: EF builds its services and the model once for those, and
/// anew, in a third of a second, wherever a logger or a warning is another.
/// </remarks>
internal sealed class SqliteDbContext(DbContextOptions<SqliteDbContext> options) : AshDbContext(options)
{
    public static DbContextOptions<SqliteDbContext> OptionsFor(DbConnection connection) => Builder().UseSqlite(connection).Options;

    /// <summary>For contexts that only read.</summary>
    public static DbContextOptions<SqliteDbContext> OptionsFor(string connectionString) =>
        Builder().UseSqlite(connectionString).UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking).Options;

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);

        // Sixteen bytes in network order sort like the UUIDv7s that they are.
        configurationBuilder.Properties<Guid>().HaveConversion<GuidBytesConverter>();
    }

    // Whether a migration is missing is asked by a test, and not at each start.
    private static DbContextOptionsBuilder<SqliteDbContext> Builder() => new DbContextOptionsBuilder<SqliteDbContext>()
        .ConfigureWarnings(static warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning));
}
