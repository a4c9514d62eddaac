using System.Text.RegularExpressions;
using Ash.Protocol.Api;
using Ash.Server.Storage.Sqlite;
using Ash.Server.Tests.InMemory;
using Microsoft.Data.Sqlite;

namespace Ash.Server.Tests.Storage;

/// <summary>Every query that the product runs is served by an index: none gets slower because much has happened before.</summary>
[OnDatabase(TestDatabase.Sqlite)]
public sealed partial class QueryPlanTests
{
    private static readonly string[] PartialIndexes = ["IX_turns_open", "IX_agents_sealed", "IX_sessions_sealed"];

    [Fact(Timeout = 120_000)]
    public async Task Queries_NeverScanATableThatGrows()
    {
        using var queries = new QueryLog();
        string folder;
        await using (var server = await InMemoryServer.StartAsync(settings => settings with { EndedRetention = TimeSpan.Zero, DeltaRetention = TimeSpan.Zero }))
        {
            folder = server.Folder;
            await EveryQuery.PlayAsync(server);
        }

        await using var store = new TestStore();
        using var connection = store.Location.Open();
        var all = queries.Of(folder).Select(query => query.Text)
            .Concat(await RecordedStatements.OfAsync(new SqliteStoreConnection(store.Location), store.Read()))
            .Append(SqliteEventReader.RowsQuery).Append(SqliteEventReader.HeadQuery).Distinct().ToList();

        // The whole product was here, not a part of it.
        Assert.Contains(all, sql => sql.Contains("MAX(\"s\".\"uid\")", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(all, sql => sql.Contains("deltas_pruned_at\" IS NULL", StringComparison.Ordinal));
        Assert.Contains(all, sql => sql.Contains("DISTINCT", StringComparison.Ordinal) && sql.Contains("\"turns\"", StringComparison.Ordinal));
        Assert.Contains(all, sql => sql.StartsWith("INSERT INTO events", StringComparison.Ordinal));
        Assert.InRange(all.Count, 30, 200);

        // But for what a migration does, once.
        all.RemoveAll(static sql => sql.Contains("coalesce(secrets", StringComparison.Ordinal));
        var scans = all.SelectMany(sql => Plan(connection, sql).Where(step => IsScan(step, sql)).Select(step => $"{step}\n    {sql}"));
        Assert.Empty(scans);
    }

    [Fact(Timeout = 120_000)]
    public async Task ListOfSessions_IsReadWithoutTheirLongTexts()
    {
        using var queries = new QueryLog();
        await using var server = await InMemoryServer.StartAsync();
        var session = await server.Client.Sessions.CreateAsync(
            new CreateSessionRequest { Agent = "echo", Model = "m", SystemPrompt = new string('p', 1000), ExtraEnv = new Dictionary<string, string> { ["K"] = "V" } });
        await server.Client.Sessions.EndAsync(session.Id);
        var alone = await server.Client.Sessions.GetAsync(session.Id);

        Assert.Equal(alone, Assert.Single(await server.Client.Sessions.ListAsync("echo")));
        var list = Assert.Single(queries.Of(server.Folder).Select(query => query.Text), sql => sql.Contains("created_at\" DESC", StringComparison.Ordinal));
        Assert.DoesNotContain("system_prompt", list, StringComparison.Ordinal);
        Assert.DoesNotContain("secrets", list, StringComparison.Ordinal);
    }

    /// <summary>A scan of a partial index is what that index is for: it holds the few rows that are meant.</summary>
    private static bool IsScan(string step, string sql)
    {
        if (step.Split(' ') is not ["SCAN", var name, ..] || PartialIndexes.Any(name => step.Contains(name, StringComparison.Ordinal)))
        {
            return false;
        }

        var aliases = Alias().Matches(sql).ToLookup(match => match.Groups[2].Value, match => match.Groups[1].Value);
        return aliases[name].DefaultIfEmpty(name).Any(EveryQuery.GrowingTables.Contains);
    }

    private static List<string> Plan(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + sql;
        foreach (var name in Parameter().Matches(sql).Select(match => match.Value).Distinct())
        {
            command.Parameters.AddWithValue(name, DBNull.Value);
        }

        List<string> steps = [];
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            steps.Add(reader.GetString(3));
        }

        return steps;
    }

    [GeneratedRegex(@"@\w+|\?\d+")]
    private static partial Regex Parameter();

    [GeneratedRegex("\"(\\w+)\" AS \"(\\w+)\"")]
    private static partial Regex Alias();
}
