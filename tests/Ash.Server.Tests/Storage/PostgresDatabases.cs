using Ash.Server.Storage.Postgres;
using Ash.Testing;
using Npgsql;

namespace Ash.Server.Tests.Storage;

/// <summary>Databases of one Postgres that the whole run has in common, each a copy of one with the store's tables.</summary>
internal static class PostgresDatabases
{
    private const string Template = "ash_template";
    private static readonly Lazy<PostgresCluster> Cluster = new(Start);
    private static int _count;

    /// <summary>A database of its own, with the store's tables and nothing in them.</summary>
    public static string CreateUrl() => CreateUrl($"CREATE DATABASE {Next()} TEMPLATE {Template}");

    /// <summary>A database without anything.</summary>
    public static string CreateEmptyUrl() => CreateUrl($"CREATE DATABASE {Next()}");

    public static PostgresAddress Read(string url)
    {
        Assert.Null(PostgresAddress.FindProblem(url, out var address));
        return address!; // There is one where there is no problem.
    }

    /// <summary>Removes a database, whoever is connected to it.</summary>
    public static void Drop(PostgresAddress address) => Execute(Cluster.Value, $"DROP DATABASE {address.Database} WITH (FORCE)");

    /// <summary>As the operator of the database.</summary>
    public static void Execute(string sql) => Execute(Cluster.Value, sql);

    private static string Next() => $"ash_test_{Interlocked.Increment(ref _count)}";

    private static string CreateUrl(string sql)
    {
        var cluster = Cluster.Value;
        Execute(cluster, sql);
        return cluster.UrlOf(sql.Split(' ')[2]);
    }

    /// <summary>Nothing waits for anything of the tests' own threads.</summary>
    private static PostgresCluster Start() => Task.Run(async () =>
    {
        var cluster = await PostgresCluster.StartAsync(port: null, "-c", "max_connections=400");
        Execute(cluster, $"CREATE DATABASE {Template}");
        using var database = new PostgresDatabase(Read(cluster.UrlOf(Template)));
        await PostgresStart.PrepareAsync(database, TimeProvider.System, static _ => { });
        return cluster;
    }).GetAwaiter().GetResult();

    private static void Execute(PostgresCluster cluster, string sql)
    {
        using var connection = new NpgsqlConnection($"Host={cluster.Folder};Port={cluster.Port};Username=ash;Database=postgres;Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
