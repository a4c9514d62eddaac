using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Ash.Server.Storage.Sqlite;

/// <summary>Moves the write-ahead log into the database from a connection of its own: checkpoints on the writer's make its p99.</summary>
/// <remarks>
/// A flood outruns such checkpoints: while it goes on, the log is never wholly moved, so it never begins anew. Beyond a
/// size the writer therefore empties it itself. That waits for readers, but only shortly, and is tried again.
/// </remarks>
internal sealed class Checkpointer : IAsyncDisposable
{
    /// <summary>So much is written between two checkpoints.</summary>
    internal const long IntervalBytes = 4L * 1024 * 1024;

    /// <summary>The log may grow to this, and to what one interval and one commit add to it.</summary>
    internal const long MaxLogBytes = 64L * 1024 * 1024;

    private const int PageBytes = 4096;
    private const int ReaderPatienceMs = 50;

    private readonly FileInfo _log;
    private readonly SqliteConnection _connection;
    private readonly Lock _checkpointing = new();
    private readonly SemaphoreSlim _wanted = new(0, 1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _loop;
    private long _writtenBytes;

    public Checkpointer(SqliteLocation location)
    {
        _log = new FileInfo(location.DatabasePath + "-wal");
        _connection = location.Open();
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Called by the writer after each commit, outside a transaction.</summary>
    public void Committed(sqlite3 writer)
    {
        raw.sqlite3_db_status(writer, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, 1);
        _writtenBytes += (long)pages * PageBytes;
        if (_writtenBytes < IntervalBytes)
        {
            return;
        }

        _writtenBytes = 0;
        _log.Refresh();
        if (_log.Exists && _log.Length > MaxLogBytes)
        {
            // SQLite refuses at once while another checkpoint runs, however patient the connection is.
            lock (_checkpointing)
            {
                raw.sqlite3_busy_timeout(writer, ReaderPatienceMs);
                raw.sqlite3_wal_checkpoint_v2(writer, null, raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
                raw.sqlite3_busy_timeout(writer, SqliteLocation.BusyTimeoutMs);
            }
        }
        else if (_wanted.CurrentCount == 0)
        {
            _wanted.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _loop;
        _connection.Dispose();
        _closing.Dispose();
        _wanted.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _wanted.WaitAsync(_closing.Token);

                // What it cannot move now, because somebody reads it or writes on, the next one does.
                lock (_checkpointing)
                {
                    raw.sqlite3_wal_checkpoint_v2(_connection.Handle!, null, raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The writer is done.
        }
    }
}
