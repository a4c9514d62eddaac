using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using SQLitePCL;

namespace Ash.Server.Storage;

/// <summary>The one writer of the SQLite store: one connection, one thread, and each commit takes all that has queued.</summary>
/// <remarks>
/// Two writers stall each other for 150 ms and eight for more than a second, because the library sleeps on a busy
/// database; so every write passes here, EF's included. Each delegate has a savepoint of its own: one that fails takes
/// nothing else with it. A delegate must not block or await.
/// </remarks>
internal sealed class StoreWriter : IAsyncDisposable
{
    private readonly SqliteConnection _connection;
    private readonly StoreTransaction _transaction;
    private readonly Checkpointer _checkpointer;
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _queued = new(0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<StoreWrite> _waiting = [];
    private List<StoreWrite> _taken = [];
    private bool _closed;
    private bool? _isSynced;

    public StoreWriter(StoreLocation location)
    {
        _connection = location.Open(readOnly: false);
        Execute("PRAGMA wal_autocheckpoint = 0");

        var options = new DbContextOptionsBuilder<SqliteDbContext>().UseSqlite(_connection).Options;
        var context = new SqliteDbContext(options);
        context.Database.AutoSavepointsEnabled = false;
        context.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.TrackAll;

        _transaction = new StoreTransaction(_connection, context);
        _checkpointer = new Checkpointer(location);
        _thread = new Thread(Run) { IsBackground = true, Name = "store writer" };
        _thread.Start();
    }

    /// <summary>Runs a delegate on the writer's thread and completes once it is committed.</summary>
    /// <exception cref="StoreException">The commit failed.</exception>
    public Task<T> WriteAsync<T>(Durability durability, Func<StoreTransaction, T> work)
    {
        var write = new StoreWrite<T>(durability, work);
        Enqueue(write);
        return write.Task;
    }

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Durability durability, Action<StoreTransaction> work) => WriteAsync(durability, transaction =>
    {
        work(transaction);
        return true;
    });

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
        }

        _queued.Release();
        await _ended.Task;
        await _checkpointer.DisposeAsync();
        _transaction.Dispose();
        _connection.Dispose();
        _queued.Dispose();
    }

    private void Enqueue(StoreWrite write)
    {
        bool isFirst;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _waiting.Add(write);
            isFirst = _waiting.Count == 1;
        }

        if (isFirst)
        {
            _queued.Release();
        }
    }

    private void Run()
    {
        while (true)
        {
            _queued.Wait();
            lock (_gate)
            {
                (_waiting, _taken) = (_taken, _waiting);
            }

            if (_taken.Count > 0)
            {
                Commit(_taken);
                _taken.Clear();
            }
            else if (_closed)
            {
                break;
            }
        }

        _ended.SetResult();
    }

    private void Commit(List<StoreWrite> writes)
    {
        try
        {
            SetSynchronous(writes.Exists(static write => write.Durability == Durability.Power));
            using var transaction = _connection.BeginTransaction(deferred: false);
            _transaction.Db.Database.UseTransaction(transaction);

            foreach (var write in writes)
            {
                RunInSavepoint(write);
            }

            HoldPoints.Reach(HoldPoint.BeforeCommit);
            transaction.Commit();
            HoldPoints.Reach(HoldPoint.AfterCommit);
        }
        catch (Exception failure) when (failure is SqliteException or StoreException or InvalidOperationException)
        {
            var wrapped = new StoreException("The store did not take the write: " + failure.Message, failure);
            foreach (var write in writes)
            {
                write.Fail(wrapped);
            }

            return;
        }
        finally
        {
            _transaction.Db.Database.UseTransaction(null);
        }

        foreach (var write in writes)
        {
            write.Complete();
        }

        _checkpointer.Committed(_connection.Handle!);
    }

    private void RunInSavepoint(StoreWrite write)
    {
        Execute("SAVEPOINT work");
        if (write.TryRun(_transaction))
        {
            Execute("RELEASE work");
        }
        else
        {
            Execute("ROLLBACK TO work; RELEASE work");
        }

        _transaction.Db.ChangeTracker.Clear();
    }

    /// <summary>By <c>sqlite3_exec</c> and outside a transaction: prepared and stepped later, it has no effect.</summary>
    private void SetSynchronous(bool synced)
    {
        if (_isSynced != synced)
        {
            Execute(synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            _isSynced = synced;
        }
    }

    private void Execute(string sql)
    {
        var result = raw.sqlite3_exec(_connection.Handle!, sql);
        if (result != raw.SQLITE_OK)
        {
            throw new StoreException($"SQLite error {result} in \"{sql}\": {raw.sqlite3_errmsg(_connection.Handle!).utf8_to_string()}");
        }
    }
}
