using Ash.Server.Storage.Sqlite;
using SQLitePCL;

namespace Ash.Benchmarks.Floors;

/// <summary>SQLite with the product's table of events and its modes, without its locks as in the product, and nothing of Ash around it: rows of 280 bytes.</summary>
internal sealed class RawStore : IDisposable
{
    private const int RowBytes = 280;
    private const int RowsPerCommit = 100;

    private readonly string _folder = Directory.CreateTempSubdirectory("ash-bench-").FullName;
    private readonly sqlite3 _connection;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _insert;
    private readonly SqliteStatement _commit;
    private readonly Guid _session = Guid.CreateVersion7();
    private readonly byte[] _payload = new byte[RowBytes];
    private long _seq;

    /// <param name="isSynced">Whether each commit survives a power cut.</param>
    public RawStore(bool isSynced)
    {
        SqliteLibrary.EnsureLoaded();
        Check(raw.sqlite3_open(Path.Combine(_folder, "floor.db"), out _connection));
        Check(raw.sqlite3_exec(_connection, $"PRAGMA journal_mode = WAL; PRAGMA synchronous = {(isSynced ? "FULL" : "NORMAL")}"));
        Check(raw.sqlite3_exec(_connection, """
            CREATE TABLE events (
                id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, session_id BLOB NOT NULL, seq INTEGER NOT NULL, turn_id BLOB,
                type TEXT NOT NULL, at INTEGER NOT NULL, is_partial INTEGER NOT NULL, payload BLOB);
            CREATE UNIQUE INDEX by_session ON events (session_id, seq);
            """));
        _begin = new SqliteStatement(_connection, "BEGIN IMMEDIATE");
        _insert = new SqliteStatement(
            _connection,
            "INSERT INTO events (session_id, seq, turn_id, type, at, is_partial, payload) VALUES (?1, ?2, NULL, 'cli', 0, 1, ?3)");
        _commit = new SqliteStatement(_connection, "COMMIT");
    }

    /// <summary>A commit of one row.</summary>
    public void CommitOne() => Commit(1);

    /// <summary>Processor time of a row, in microseconds, and rows a second, where a hundred are committed at once.</summary>
    public static (double Cpu, double Rate) MeasureRows(int rows)
    {
        using var store = new RawStore(isSynced: false);
        store.Commit(RowsPerCommit);
        var commits = Math.Max(1, rows / RowsPerCommit);
        var cpu = Environment.CpuUsage.TotalTime;
        var begun = System.Diagnostics.Stopwatch.GetTimestamp();
        for (var i = 0; i < commits; i++)
        {
            store.Commit(RowsPerCommit);
        }

        var wall = System.Diagnostics.Stopwatch.GetElapsedTime(begun);
        var count = commits * RowsPerCommit;
        return ((Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / count, count / wall.TotalSeconds);
    }

    public void Dispose()
    {
        _begin.Dispose();
        _insert.Dispose();
        _commit.Dispose();
        _connection.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Commit(int rows)
    {
        _begin.Execute();
        for (var i = 0; i < rows; i++)
        {
            _insert.Bind(1, _session).Bind(2, ++_seq).Bind(3, _payload).Execute();
        }

        _commit.Execute();
    }

    private static void Check(int result)
    {
        if (result != raw.SQLITE_OK)
        {
            throw new InvalidOperationException($"SQLite error {result}.");
        }
    }
}
