using SQLitePCL;

namespace Ash.Server.Storage.Sqlite;

/// <summary>A prepared statement of the writer's connection, bound and stepped without an allocation.</summary>
internal sealed class SqliteStatement : StoreStatement
{
    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _statement;

    public SqliteStatement(sqlite3 connection, string sql)
    {
        _connection = connection;
        Check(raw.sqlite3_prepare_v2(connection, sql, out _statement));
    }

    public override SqliteStatement Bind(int index, long? value)
    {
        Check(value is { } number ? raw.sqlite3_bind_int64(_statement, index, number) : raw.sqlite3_bind_null(_statement, index));
        return this;
    }

    public override SqliteStatement Bind(int index, string? value)
    {
        Check(value is null ? raw.sqlite3_bind_null(_statement, index) : raw.sqlite3_bind_text(_statement, index, value));
        return this;
    }

    public override SqliteStatement Bind(int index, bool value) => Bind(index, value ? 1L : 0L);

    public override SqliteStatement Bind(int index, ReadOnlyMemory<byte>? value)
    {
        Check(value is { } bytes ? raw.sqlite3_bind_blob(_statement, index, bytes.Span) : raw.sqlite3_bind_null(_statement, index));
        return this;
    }

    public override SqliteStatement BindText(int index, ReadOnlySpan<byte> value)
    {
        Check(raw.sqlite3_bind_text(_statement, index, value));
        return this;
    }

    public override SqliteStatement Bind(int index, Guid? value)
    {
        if (value is not { } id)
        {
            Check(raw.sqlite3_bind_null(_statement, index));
            return this;
        }

        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        Check(raw.sqlite3_bind_blob(_statement, index, bytes));
        return this;
    }

    /// <summary>Runs the statement to its end and makes it ready for the next time.</summary>
    /// <exception cref="StoreException">It failed; the caller's savepoint is to be rolled back.</exception>
    public override void Execute()
    {
        var result = raw.sqlite3_step(_statement);
        raw.sqlite3_reset(_statement);
        raw.sqlite3_clear_bindings(_statement);

        if (result is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
        {
            throw Failure(result);
        }
    }

    public override int ExecuteAndCount()
    {
        Execute();
        return raw.sqlite3_changes(_connection);
    }

    public override void Dispose() => _statement.Dispose();

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
