using Microsoft.Data.Sqlite;

namespace Ash.Server.Storage.Sqlite;

/// <summary>Where the SQLite store lies, and how a connection to it is opened.</summary>
internal sealed class SqliteLocation(string dataDirectory)
{
    internal const string FileName = "ash.db";

    internal const int BusyTimeoutMs = 10_000;

    static SqliteLocation() => SqliteLibrary.EnsureLoaded();

    public string DatabasePath { get; } = Path.Combine(dataDirectory, FileName);

    /// <summary>For EF's readers: they cannot write, and their connections are kept.</summary>
    public string ReaderConnectionString => new SqliteConnectionStringBuilder
    {
        DataSource = DatabasePath,
        Mode = SqliteOpenMode.ReadOnly,
        Pooling = true,
        DefaultTimeout = BusyTimeoutMs / 1000,
    }.ToString();

    /// <summary>Opens a connection that may write, in the store's modes.</summary>
    public SqliteConnection Open()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = DatabasePath,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = BusyTimeoutMs / 1000,
        }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = {BusyTimeoutMs};";
        command.ExecuteNonQuery();
        return connection;
    }
}
