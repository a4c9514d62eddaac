using System.Collections.Concurrent;
using System.Data.Common;
using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Ash.Server.Tests.Storage;

/// <summary>What EF sends to the database, anywhere in this process.</summary>
internal sealed class QueryLog : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
{
    private readonly ConcurrentDictionary<(string Database, string Text), DbParameter[]> _seen = new();
    private readonly ConcurrentBag<IDisposable> _subscriptions = [];

    public QueryLog() => _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));

    /// <summary>Those of one server; others run beside it in this process.</summary>
    /// <param name="database">The data folder of one with SQLite, the database's name of one with Postgres.</param>
    public IEnumerable<(string Text, DbParameter[] Parameters)> Of(string database) => _seen
        .Where(query => query.Key.Database.StartsWith(database, StringComparison.Ordinal))
        .Select(query => (query.Key.Text, query.Value))
        .Where(static query => !query.Text.Contains("__EF", StringComparison.Ordinal) && !query.Text.Contains("sqlite_master", StringComparison.Ordinal))
        .Where(static query => query.Text.Split(' ', '\n')[0] is "SELECT" or "UPDATE" or "DELETE");

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == DbLoggerCategory.Name)
        {
            _subscriptions.Add(value.Subscribe(this));
        }
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Value is CommandEventData { Command: { Connection: { } connection } command })
        {
            var database = connection is Npgsql.NpgsqlConnection ? connection.Database : connection.DataSource;
            _seen[(database, command.CommandText)] = [.. command.Parameters.OfType<ICloneable>().Select(static parameter => (DbParameter)parameter.Clone())];
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
