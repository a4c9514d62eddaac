using System.Text.RegularExpressions;
using Ash.Server.Storage.Postgres;
using Ash.Server.Tests.InMemory;
using Npgsql;

namespace Ash.Server.Tests.Storage;

/// <summary>As with SQLite, every query that the product runs is served by an index, and every index serves a query.</summary>
[OnDatabase(TestDatabase.Postgres)]
public sealed partial class PostgresQueryPlanTests
{
    /// <summary>They hold the few rows that are meant: to read all of one is what it is for.</summary>
    private static readonly string[] PartialIndexes =
        ["IX_turns_open", "IX_sessions_starting", "IX_sessions_ended_at", "IX_turns_ended_at", "IX_agents_sealed", "IX_sessions_sealed"];

    /// <summary>What they are for is that no two rows are alike.</summary>
    private static readonly string[] Guards = ["IX_sessions_uid", "IX_api_keys_key_hash", "IX_prompt_versions_active", "PK___EFMigrationsHistory"];

    [Fact(Timeout = 120_000)]
    public async Task Queries_NeverScanATableThatGrows_AndUseEveryIndex()
    {
        using var queries = new QueryLog();
        List<(string Text, System.Data.Common.DbParameter[] Parameters)> all;
        await using var server = await InMemoryServer.StartAsync(settings => settings with { EndedRetention = TimeSpan.Zero, DeltaRetention = TimeSpan.Zero });
        await EveryQuery.PlayAsync(server);
        var database = server.Get<PostgresDatabase>();
        all = [.. queries.Of(database.Address.Database)];
        Assert.InRange(all.Count, 25, 200);

        await using var connection = database.MakeWriter();
        await connection.OpenAsync(TestContext.Current.CancellationToken);

        // The tables are small: only because it must does Postgres use an index that fits.
        Execute(connection, "SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan");
        List<string> plans = [.. all.Select(query => Explain(connection, query.Text, query.Parameters))];
        await using (var store = new TestStore())
        {
            await store.Writer.DisposeAsync();
            var prepared = await RecordedStatements.OfAsync(new PostgresStoreConnection(store.Postgres!), store.Read());
            plans.AddRange(prepared.Append(PostgresEventRows.RowsQuery).Append(PostgresEventRows.HeadQuery)
                .Select(sql => ExplainPrepared(connection, sql.Replace('?', '$'))));
        }

        var scans = plans.Where(IsScan).ToList();
        Assert.Empty(scans);
        var indexes = Read(connection, "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'").Split('\n');
        var unused = indexes.Except(Guards).Where(index => !plans.Exists(plan => plan.Contains($"\"{index}\"", StringComparison.Ordinal))).ToList();
        Assert.Empty(unused);
    }

    private static bool IsScan(string plan)
    {
        var lines = plan.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (SequentialScan().Match(lines[i]) is { Success: true } scan && EveryQuery.GrowingTables.Contains(scan.Groups[1].Value))
            {
                return true;
            }

            if (IndexScan().Match(lines[i]) is { Success: true } index
                && EveryQuery.GrowingTables.Contains(index.Groups[2].Value)
                && !PartialIndexes.Contains(index.Groups[1].Value)
                && !lines[(i + 1)..].TakeWhile(static line => !line.Contains("->", StringComparison.Ordinal))
                    .Any(static line => line.Contains("Index Cond:", StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return false;
    }

    private static string Explain(NpgsqlConnection connection, string sql, System.Data.Common.DbParameter[] parameters)
    {
        using var command = new NpgsqlCommand("EXPLAIN " + sql, connection);
        command.Parameters.AddRange(parameters);
        return Read(command) + "\n" + sql;
    }

    private static string ExplainPrepared(NpgsqlConnection connection, string sql)
    {
        Execute(connection, "PREPARE explained AS " + sql);
        var count = Number().Matches(sql).Select(match => match.Value).Distinct().Count();
        var plan = Read(connection, $"EXPLAIN EXECUTE explained({string.Join(',', Enumerable.Repeat("NULL", count))})");
        Execute(connection, "DEALLOCATE explained");
        return plan + "\n" + sql;
    }

    private static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    private static string Read(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        return Read(command);
    }

    private static string Read(NpgsqlCommand command)
    {
        List<string> lines = [];
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            lines.Add(reader.GetString(0));
        }

        return string.Join('\n', lines);
    }

    [GeneratedRegex(@"Seq Scan on (\w+)")]
    private static partial Regex SequentialScan();

    [GeneratedRegex("Index (?:Only )?Scan (?:Backward )?using \"?(\\w+)\"? on (\\w+)")]
    private static partial Regex IndexScan();

    [GeneratedRegex(@"\$\d+")]
    private static partial Regex Number();
}
