using Ash.Server.Events;
using SQLitePCL;

namespace Ash.Server.Storage.Sqlite;

/// <summary>A connection that only reads logs, with its statements prepared once. For one caller at a time.</summary>
internal sealed class SqliteEventReader : IDisposable
{
    internal const string RowsQuery =
        "SELECT seq, turn_id, type, at, payload FROM events WHERE session_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";

    internal const string HeadQuery = "SELECT MAX(seq) FROM events WHERE session_id = ?1";

    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _rows;
    private readonly sqlite3_stmt _head;

    public SqliteEventReader(SqliteLocation location)
    {
        Check(raw.sqlite3_open_v2(location.DatabasePath, out _connection, raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_NOMUTEX, null));
        Check(raw.sqlite3_busy_timeout(_connection, SqliteLocation.BusyTimeoutMs));
        _rows = Prepare(RowsQuery);
        _head = Prepare(HeadQuery);
    }

    /// <summary>Calls <paramref name="take"/> with each row after <paramref name="afterSeq"/> until it has enough.</summary>
    /// <param name="session">Whose rows.</param>
    /// <param name="afterSeq">The last row that is not wanted.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="readFile">Reads the payload of a row that has it in a file.</param>
    /// <param name="take">False ends the reading.</param>
    /// <exception cref="StoreException">The rows could not be read.</exception>
    public void Read(Guid session, long afterSeq, int limit, Func<long, byte[]> readFile, Func<EventRow, bool> take)
    {
        try
        {
            Bind(_rows, session);
            Check(raw.sqlite3_bind_int64(_rows, 2, afterSeq));
            Check(raw.sqlite3_bind_int(_rows, 3, limit));
            while (Step(_rows) && take(Current(session, readFile)))
            {
            }
        }
        finally
        {
            // Without it the read transaction would stay open, and hold the write-ahead log.
            raw.sqlite3_reset(_rows);
        }
    }

    /// <summary>Number of the newest row; 0 where there is none.</summary>
    public long FindHead(Guid session)
    {
        try
        {
            Bind(_head, session);
            return Step(_head) ? raw.sqlite3_column_int64(_head, 0) : 0;
        }
        finally
        {
            raw.sqlite3_reset(_head);
        }
    }

    public void Dispose()
    {
        _rows.Dispose();
        _head.Dispose();
        _connection.Dispose();
    }

    private EventRow Current(Guid session, Func<long, byte[]> readFile)
    {
        var seq = raw.sqlite3_column_int64(_rows, 0);
        var turn = raw.sqlite3_column_blob(_rows, 1);
        if (!EventTypes.TryParse(raw.sqlite3_column_blob(_rows, 2), out var type))
        {
            throw new StoreException($"Row {seq} of session {session} has an unknown type.");
        }

        return new EventRow(
            seq,
            turn.IsEmpty ? null : new Guid(turn, bigEndian: true),
            type,
            DateTimeOffset.FromUnixTimeMilliseconds(raw.sqlite3_column_int64(_rows, 3)),
            raw.sqlite3_column_type(_rows, 4) == raw.SQLITE_NULL ? readFile(seq) : raw.sqlite3_column_blob(_rows, 4).ToArray());
    }

    private void Bind(sqlite3_stmt statement, Guid session)
    {
        Span<byte> bytes = stackalloc byte[16];
        session.TryWriteBytes(bytes, bigEndian: true, out _);
        Check(raw.sqlite3_bind_blob(statement, 1, bytes));
    }

    private bool Step(sqlite3_stmt statement) => raw.sqlite3_step(statement) switch
    {
        raw.SQLITE_ROW => true,
        raw.SQLITE_DONE => false,
        var failure => throw Failure(failure),
    };

    private sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_connection, sql, out var statement));
        return statement;
    }

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
        {
            throw Failure(result);
        }
    }

    private StoreException Failure(int result) =>
        new($"SQLite error {result}: {raw.sqlite3_errmsg(_connection).utf8_to_string()}");
}
