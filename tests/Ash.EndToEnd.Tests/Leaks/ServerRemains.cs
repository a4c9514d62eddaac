using Ash.Testing;
using Microsoft.Data.Sqlite;

namespace Ash.EndToEnd.Tests.Leaks;

/// <summary>What sessions and sandboxes have left on the machine and in the store.</summary>
internal static class ServerRemains
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>What there is once it equals <paramref name="expected"/>; what there is instead when it has not come to that in time.</summary>
    public static async Task<IReadOnlyList<string>> OnceQuietAsync(
        AshServer server, IReadOnlyList<string> expected, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        using var probe = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var remains = FoldersOf(server);
        while ((!remains.SequenceEqual(expected) || server.Processes().Count > 0) && !patience.IsCancellationRequested)
        {
            await probe.WaitForNextTickAsync(cancellationToken);
            remains = FoldersOf(server);
        }

        return remains;
    }

    /// <summary>Every folder, socket and file of the server, in its data folder and in the cgroups, but for the store itself.</summary>
    public static List<string> FoldersOf(AshServer server)
    {
        var files = Directory.EnumerateFileSystemEntries(server.DataDirectory, "*", SearchOption.AllDirectories)
            .Where(path => !Path.GetFileName(path).StartsWith("ash.db", StringComparison.Ordinal));
        var cgroups = Directory.EnumerateDirectories("/sys/fs/cgroup", $"ash-{server.ServerId}", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 })
            .SelectMany(folder => Directory.EnumerateDirectories(folder).Append(folder));
        return [.. files.Concat(cgroups).Order(StringComparer.Ordinal)];
    }

    /// <summary>The tables that have rows of sessions, with how many.</summary>
    public static List<string> StoredRows(AshServer server)
    {
        var connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = Path.Combine(server.DataDirectory, "ash.db"),
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
        };
        using var connection = new SqliteConnection(connectionString.ToString());
        connection.Open();
        List<string> rows = [];
        foreach (var table in (string[])["sessions", "turns", "events", "sandboxes", "idempotency_keys"])
        {
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The names above.
            command.CommandText = $"SELECT count(*) FROM {table}";
#pragma warning restore CA2100
            if ((long)command.ExecuteScalar()! is > 0 and var count) // Count always gives a number.
            {
                rows.Add($"{table}: {count}");
            }
        }

        return rows;
    }
}
