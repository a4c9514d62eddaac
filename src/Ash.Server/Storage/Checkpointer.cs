using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Ash.Server.Storage;

/// <summary>Moves the write-ahead log into the database from a connection of its own: checkpoints on the writer's make its p99.</summary>
/// <remarks>A flood outruns a passive checkpoint, so beyond a size the writer does one itself, which also bounds the file.</remarks>
internal sealed class Checkpointer : IAsyncDisposable
{
    private const int CommitsBetweenLooks = 32;
    private const long PassiveBytes = 4L * 1024 * 1024;
    private const long InlineBytes = 64L * 1024 * 1024;

    private readonly string _walPath;
    private readonly SqliteConnection _connection;
    private readonly SemaphoreSlim _wanted = new(0, 1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _loop;
    private int _commits;

    public Checkpointer(StoreLocation location)
    {
        _walPath = location.DatabasePath + "-wal";
        _connection = location.Open(readOnly: false);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Called by the writer after each commit, outside a transaction.</summary>
    public void Committed(sqlite3 writer)
    {
        if (++_commits % CommitsBetweenLooks != 0)
        {
            return;
        }

        var bytes = new FileInfo(_walPath) is { Exists: true } wal ? wal.Length : 0;
        if (bytes > InlineBytes)
        {
            // Readers in the way make this a partial one, and the next look tries again.
            raw.sqlite3_wal_checkpoint_v2(writer, null, raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
        }
        else if (bytes > PassiveBytes && _wanted.CurrentCount == 0)
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
                raw.sqlite3_wal_checkpoint_v2(_connection.Handle!, null, raw.SQLITE_CHECKPOINT_PASSIVE, out _, out _);
            }
        }
        catch (OperationCanceledException)
        {
            // The writer is done.
        }
    }
}
