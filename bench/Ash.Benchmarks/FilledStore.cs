using System.Text;
using Ash.Server.Storage.Sqlite;
using SQLitePCL;

namespace Ash.Benchmarks;

/// <summary>The store of a server that is stopped, into which what years would bring is written directly.</summary>
internal sealed class FilledStore : IDisposable
{
    private const int RowsPerCommit = 10_000;

    private readonly sqlite3 _connection;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private int _rows;

    public FilledStore(string dataDirectory)
    {
        SqliteLibrary.EnsureLoaded();
        Check(raw.sqlite3_open(Path.Combine(dataDirectory, "ash.db"), out _connection));
        Check(raw.sqlite3_exec(_connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000"));
        _begin = new SqliteStatement(_connection, "BEGIN IMMEDIATE");
        _commit = new SqliteStatement(_connection, "COMMIT");
        _begin.Execute();
    }

    /// <summary>Copies of a session that is paused and has had turns, each with an id of its own.</summary>
    /// <param name="like">The session.</param>
    /// <param name="count">How many; every second one has ended and keeps neither files nor a host user, as after its retention.</param>
    /// <returns>The id of one of them.</returns>
    public Guid AddSessions(Guid like, int count)
    {
        using var session = new SqliteStatement(_connection, """
            INSERT INTO sessions (id, tenant_id, agent_id, agent_name, agent_version, content_hash, status, workspace_id, uid, cli_session_id,
                model, permission_mode, isolation, created_at, last_active_at, ended_at)
            SELECT ?2, tenant_id, agent_id, agent_name, agent_version, content_hash, ?3, ?4, ?5, ?2,
                model, permission_mode, isolation, created_at - ?6, last_active_at - ?6, ?7 FROM sessions WHERE id = ?1
            """);
        using var turns = new SqliteStatement(_connection, """
            INSERT INTO turns (id, session_id, status, message_seq, started_seq, completed_seq, reason, retryable, result, usage, created_at,
                ended_at, deltas_pruned_at)
            SELECT randomblob(16), ?2, status, message_seq, started_seq, completed_seq, reason, retryable, result, usage, created_at,
                ended_at, ended_at FROM turns WHERE session_id = ?1
            """);
        using var events = new SqliteStatement(_connection, """
            INSERT INTO events (session_id, seq, turn_id, type, at, is_partial, payload)
            SELECT ?2, seq, turn_id, type, at, is_partial, payload FROM events WHERE session_id = ?1
            """);
        var uid = Ask("SELECT MAX(uid) FROM sessions");
        var last = Guid.Empty;
        for (var i = 0; i < count; i++)
        {
            last = Guid.CreateVersion7();
            var isPaused = i % 2 == 0;
            session
                .Bind(1, like).Bind(2, last).Bind(3, isPaused ? "Paused" : "Ended")
                .Bind(4, isPaused ? last : null).Bind(5, isPaused ? ++uid : null)
                .Bind(6, (i + 1) * 100L).Bind(7, isPaused ? null : DateTimeOffset.UtcNow.ToUnixTimeMilliseconds())
                .Execute();
            turns.Bind(1, like).Bind(2, last).Execute();
            events.Bind(1, like).Bind(2, last).Execute();
            CommitNowAndThen(10);
        }

        return last;
    }

    /// <summary>So many more lines of the CLI at the end of a session's log, 300 bytes each.</summary>
    /// <returns>The number of the last.</returns>
    public long AddEvents(Guid session, int count)
    {
        using var head = new SqliteStatement(_connection, """
            INSERT INTO events (session_id, seq, turn_id, type, at, is_partial, payload)
            SELECT ?1, seq + 1, turn_id, 'cli', at, 1, ?2 FROM events WHERE session_id = ?1 ORDER BY seq DESC LIMIT 1
            """);
        var payload = Encoding.UTF8.GetBytes(
            $$"""{"type":"stream_event","uuid":"{{Guid.CreateVersion7()}}","event":{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"0 {{new string('x', 120)}}"} } }""");
        for (var i = 0; i < count; i++)
        {
            head.Bind(1, session).Bind(2, payload).Execute();
            CommitNowAndThen(1);
        }

        return Ask($"SELECT MAX(seq) FROM events WHERE session_id = X'{Convert.ToHexString(session.ToByteArray(bigEndian: true))}'");
    }

    public void Dispose()
    {
        _commit.Execute();
        Check(raw.sqlite3_exec(_connection, "PRAGMA wal_checkpoint(TRUNCATE)"));
        _begin.Dispose();
        _commit.Dispose();
        _connection.Dispose();
    }

    private void CommitNowAndThen(int rows)
    {
        _rows += rows;
        if (_rows >= RowsPerCommit)
        {
            _commit.Execute();
            _begin.Execute();
            _rows = 0;
        }
    }

    private long Ask(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_connection, sql, out var query));
        using (query)
        {
            raw.sqlite3_step(query);
            return raw.sqlite3_column_int64(query, 0);
        }
    }

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
        {
            throw new InvalidOperationException($"SQLite error {result}: {raw.sqlite3_errmsg(_connection).utf8_to_string()}");
        }
    }
}
