namespace Ash.Testing;

/// <summary>The databases of the servers that tests start: SQLite in their data folders, or Postgres where <c>ASH_TEST_DATABASE</c> says so.</summary>
public static class ServerDatabases
{
    private static readonly Lazy<Task<PostgresCluster>> Cluster = new(() => PostgresCluster.StartAsync());
    private static int _count;

    public static bool AreOfPostgres { get; } = Environment.GetEnvironmentVariable("ASH_TEST_DATABASE") switch
    {
        null or "" or "sqlite" => false,
        "postgres" => true,
        var other => throw new InvalidOperationException($"ASH_TEST_DATABASE is \"{other}\"; there are sqlite and postgres."),
    };

    /// <summary>An empty database of a server's own; null where it is to use SQLite.</summary>
    internal static async Task<string?> CreateUrlAsync()
    {
        if (!AreOfPostgres)
        {
            return null;
        }

        var cluster = await Cluster.Value;
        var name = $"ash_test_{Interlocked.Increment(ref _count)}";
        await cluster.CreateDatabaseAsync(name);
        return cluster.UrlOf(name);
    }
}
