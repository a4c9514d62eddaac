using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Ash.Protocol.Api;
using Ash.Server.Storage;
using Ash.Server.Tests.InMemory;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Ash.Server.Tests.Storage;

/// <summary>Every query that the product runs is served by an index: none gets slower because much has happened before.</summary>
public sealed partial class QueryPlanTests
{
    private static readonly string[] GrowingTables = ["events", "turns", "sessions", "idempotency_keys", "agents", "agent_versions", "attachments", "log_lines"];

    [Fact(Timeout = 120_000)]
    public async Task Queries_NeverScanATableThatGrows()
    {
        using var queries = new QueryLog();
        string folder;
        await using (var server = await InMemoryServer.StartAsync(settings => settings with { EndedRetention = TimeSpan.Zero, DeltaRetention = TimeSpan.Zero }))
        {
            folder = server.Folder;
            var session = await server.CreateSessionAsync("key");
            await server.CreateSessionAsync("key");
            await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "hello");
            await server.ReadStreamAsync(session);
            await server.Client.Sessions.ListAsync();
            await server.Client.Sessions.ListAsync("echo");
            await server.Client.Sessions.ListMessagesAsync(session.Id);
            await server.Client.Sessions.ListEventsAsync(session.Id);
            await server.Http.GetStringAsync($"/api/sessions/{session.Id}/logs");
            await server.Client.Attachments.AddAsync(session.Id, "kept", new MemoryStream([1]));
            var attachment = await server.Client.Attachments.AddAsync(session.Id, "removed", new MemoryStream([1]));
            await server.Client.Attachments.ListAsync(session.Id);
            await server.Client.Attachments.DeleteAsync(attachment.Id);
            await server.Client.Sessions.StopAsync(session.Id);
            await server.Client.Sessions.ResumeAsync(session.Id);
            await server.Client.Sessions.SendMessageAndWaitAsync(session.Id, "again");
            await server.Client.Sessions.EndAsync(session.Id);
            server.Clock.Advance(TimeSpan.FromDays(2));
            await server.SweepIdleSessionsAsync();
            await server.SweepEndedSessionsAsync();
            await server.SweepDeltasAsync();
            await server.CreateSessionAsync("other");
            await server.Client.Agents.ListAsync();
            await server.Client.Agents.DeleteAsync("echo");
        }

        await using var store = new TestStore();
        using var connection = store.Location.Open();
        using var transaction = new StoreTransaction(connection, (AshDbContext)store.Read());
        var all = queries.Of(folder).Concat(StatementsOf(connection)).Append(EventReader.RowsQuery).Append(EventReader.HeadQuery).Distinct().ToList();

        // The whole product was here, not a part of it.
        Assert.Contains(all, sql => sql.Contains("MAX(\"s\".\"uid\")", StringComparison.OrdinalIgnoreCase));
        Assert.Contains(all, sql => sql.Contains("deltas_pruned_at\" IS NULL", StringComparison.Ordinal));
        Assert.Contains(all, sql => sql.Contains("DISTINCT", StringComparison.Ordinal) && sql.Contains("\"turns\"", StringComparison.Ordinal));
        Assert.Contains(all, sql => sql.StartsWith("INSERT INTO events", StringComparison.Ordinal));
        Assert.InRange(all.Count, 30, 200);

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
        var list = Assert.Single(queries.Of(server.Folder), sql => sql.Contains("created_at\" DESC", StringComparison.Ordinal));
        Assert.DoesNotContain("system_prompt", list, StringComparison.Ordinal);
        Assert.DoesNotContain("extra_env", list, StringComparison.Ordinal);
    }

    /// <summary>A scan of a partial index is what that index is for: it holds the few rows that are meant.</summary>
    private static bool IsScan(string step, string sql)
    {
        if (step.Split(' ') is not ["SCAN", var name, ..] || step.Contains("IX_turns_open", StringComparison.Ordinal))
        {
            return false;
        }

        var aliases = Alias().Matches(sql).ToLookup(match => match.Groups[2].Value, match => match.Groups[1].Value);
        return aliases[name].DefaultIfEmpty(name).Any(GrowingTables.Contains);
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

    private static List<string> StatementsOf(SqliteConnection connection)
    {
        List<string> found = [];
        var handle = connection.Handle!.DangerousGetHandle();
        for (var statement = Next(handle, 0); statement != 0; statement = Next(handle, statement))
        {
            found.Add(Marshal.PtrToStringUTF8(Sql(statement))!);
        }

        return found;
    }

    [GeneratedRegex(@"@\w+|\?\d+")]
    private static partial Regex Parameter();

    [GeneratedRegex("\"(\\w+)\" AS \"(\\w+)\"")]
    private static partial Regex Alias();

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_next_stmt")]
    private static partial nint Next(nint connection, nint statement);

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_sql")]
    private static partial nint Sql(nint statement);

    /// <summary>What EF sends to the database, anywhere in this process.</summary>
    private sealed class QueryLog : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        private readonly ConcurrentDictionary<(string DataSource, string Text), bool> _seen = new();
        private readonly ConcurrentBag<IDisposable> _subscriptions = [];

        public QueryLog() => _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));

        /// <summary>Those of one server; others run beside it in this process.</summary>
        public IEnumerable<string> Of(string folder) => _seen.Keys
            .Where(query => query.DataSource.StartsWith(folder, StringComparison.Ordinal))
            .Select(query => query.Text)
            .Where(static text => !text.Contains("__EF", StringComparison.Ordinal) && !text.Contains("sqlite_master", StringComparison.Ordinal))
            .Where(static text => text.Split(' ')[0] is "SELECT" or "UPDATE" or "DELETE");

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == DbLoggerCategory.Name)
            {
                _subscriptions.Add(value.Subscribe(this));
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value.Value is CommandEventData command)
            {
                _seen[(command.Command.Connection!.DataSource, command.Command.CommandText)] = true;
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose()
        {
            foreach (var subscription in _subscriptions)
            {
                subscription.Dispose();
            }
        }
    }
}
