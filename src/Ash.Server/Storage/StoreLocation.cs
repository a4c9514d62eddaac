using Microsoft.Data.Sqlite;

namespace Ash.Server.Storage;

/// <summary>Where the SQLite store lies, and how a connection to it is opened.</summary>
internal sealed class StoreLocation(string dataDirectory)
{
    public string DatabasePath { get; } = Path.Combine(dataDirectory, "ash.db");

    /// <summary>Payloads that are too large for a row: <c>events/&lt;session&gt;/&lt;seq&gt;</c>.</summary>
    public string EventFiles { get; } = Path.Combine(dataDirectory, "events");

    public string ConnectionString(bool readOnly) => new SqliteConnectionStringBuilder
    {
        DataSource = DatabasePath,
        Mode = readOnly ? SqliteOpenMode.ReadWrite : SqliteOpenMode.ReadWriteCreate,
        Pooling = false,
        DefaultTimeout = 10,
    }.ToString();

    /// <summary>Opens a connection in the store's modes. One that only reads refuses to write.</summary>
    public SqliteConnection Open(bool readOnly)
    {
        var connection = new SqliteConnection(ConnectionString(readOnly));
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 10000;"
            + (readOnly ? " PRAGMA query_only = ON;" : string.Empty);
        command.ExecuteNonQuery();
        return connection;
    }
}
