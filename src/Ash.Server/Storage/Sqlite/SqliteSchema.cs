using System.Globalization;
using System.Reflection;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Ash.Server.Storage.Sqlite;

/// <summary>The store's tables, as this version of the server needs them.</summary>
internal static class SqliteSchema
{
    /// <summary>Brings it up to date, before anything reads or writes.</summary>
    public static void Migrate(SqliteLocation location)
    {
        using var connection = location.Open();
        if (IsEmpty(connection))
        {
            using var transaction = connection.BeginTransaction();
            using var command = connection.CreateCommand();
            command.CommandText = SchemaScript.Sqlite;
            command.ExecuteNonQuery();
            transaction.Commit();
        }
        else if (!IsCurrent(connection))
        {
            using var context = new SqliteDbContext(SqliteDbContext.OptionsFor(connection));
            context.Database.Migrate();
        }
    }

    private static bool IsEmpty(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture) == 0;
    }

    /// <summary>Asked of the database itself: EF would set itself up for the question, which nearly every start answers with yes.</summary>
    private static bool IsCurrent(SqliteConnection connection)
    {
        var known = typeof(SqliteSchema).Assembly.DefinedTypes
            .Where(static type => type.GetCustomAttribute<DbContextAttribute>()?.ContextType == typeof(SqliteDbContext))
            .Select(static type => type.GetCustomAttribute<MigrationAttribute>()?.Id)
            .OfType<string>();
        return known.ToHashSet().IsSubsetOf(ReadApplied(connection));
    }

    private static HashSet<string> ReadApplied(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT name FROM sqlite_schema WHERE name = '__EFMigrationsHistory'";
        if (command.ExecuteScalar() is null)
        {
            return [];
        }

        command.CommandText = "SELECT MigrationId FROM __EFMigrationsHistory";
        using var reader = command.ExecuteReader();
        var applied = new HashSet<string>();
        while (reader.Read())
        {
            applied.Add(reader.GetString(0));
        }

        return applied;
    }
}
