using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Ash.Server.Storage.Postgres;

/// <summary>The store's tables in Postgres, as this version of the server needs them.</summary>
internal static class PostgresSchema
{
    /// <summary>"ashtable", as a number.</summary>
    private const long LockKey = 0x6173687461626c65;

    public static readonly Version OldestVersion = new(13, 0);

    /// <summary>Brings it up to date. Of servers that start at once, one does it and the others wait.</summary>
    /// <param name="connection">Open, and closed by the caller afterwards, which ends the wait of the others.</param>
    /// <exception cref="StoreException">This database cannot hold the store.</exception>
    public static void Migrate(NpgsqlConnection connection)
    {
        if (connection.PostgreSqlVersion < OldestVersion)
        {
            throw new StoreException($"it is Postgres {connection.PostgreSqlVersion}; the server needs {OldestVersion.Major} or newer");
        }

        if (Ask(connection, "SHOW server_encoding") is not "UTF8" and var encoding)
        {
            throw new StoreException($"its text is {encoding}; create the database with ENCODING 'UTF8' TEMPLATE template0");
        }

        Ask(connection, $"SELECT pg_advisory_lock({LockKey})");
        if (IsEmpty(connection))
        {
            using var transaction = connection.BeginTransaction();
            using var command = new NpgsqlCommand(SchemaScript.Postgres, connection, transaction);
            command.ExecuteNonQuery();
            transaction.Commit();
        }
        else if (!IsCurrent(connection))
        {
            using var context = new PostgresDbContext(PostgresDbContext.OptionsFor(connection));
            context.Database.Migrate();
        }
    }

    /// <summary>Another text after each crash of the database, which may have lost what was not synced, wherever it runs.</summary>
    /// <remarks>
    /// Postgres keeps its statistics over a shutdown in order, and begins them anew after recovery from a crash, be it the
    /// machine's or one process'. Nothing that is nearer to it can be read by every user.
    /// </remarks>
    public static string ReadMark(NpgsqlConnection connection) =>
        $"postgres {Ask(connection, "SELECT EXTRACT(epoch FROM stats_reset) FROM pg_stat_bgwriter")}";

    private static bool IsEmpty(NpgsqlConnection connection) =>
        Ask(connection, "SELECT to_regclass('\"__EFMigrationsHistory\"')::text") is null && Ask(connection, "SELECT to_regclass('sessions')::text") is null;

    /// <summary>Asked of the database itself, as with SQLite: EF would set itself up for the question.</summary>
    private static bool IsCurrent(NpgsqlConnection connection)
    {
        if (Ask(connection, "SELECT to_regclass('\"__EFMigrationsHistory\"')::text") is null)
        {
            return false;
        }

        var known = typeof(PostgresSchema).Assembly.DefinedTypes
            .Where(static type => type.GetCustomAttribute<DbContextAttribute>()?.ContextType == typeof(PostgresDbContext))
            .Select(static type => type.GetCustomAttribute<MigrationAttribute>()?.Id)
            .OfType<string>();
        using var command = new NpgsqlCommand("SELECT \"MigrationId\" FROM \"__EFMigrationsHistory\"", connection);
        using var reader = command.ExecuteReader();
        var applied = new HashSet<string>();
        while (reader.Read())
        {
            applied.Add(reader.GetString(0));
        }

        return known.ToHashSet().IsSubsetOf(applied);
    }

    private static string? Ask(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        return command.ExecuteScalar() is { } value and not DBNull ? Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) : null;
    }
}
