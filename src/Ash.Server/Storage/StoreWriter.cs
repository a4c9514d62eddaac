using System.Diagnostics;
using Ash.Server.Telemetry;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using SQLitePCL;

namespace Ash.Server.Storage;

/// <summary>The one writer of the SQLite store: one connection, one thread, and each commit takes all that has queued.</summary>
/// <remarks>
/// Two writers stall each other for 150 ms and eight for more than a second, because the library sleeps on a busy
/// database; so every write passes here, EF's included. Each delegate has a savepoint of its own, unless it is alone: one that fails
/// takes nothing else with it. A delegate must not block or await.
/// </remarks>
internal sealed class StoreWriter : IAsyncDisposable
{
    private readonly SqliteConnection _connection;
    private readonly StoreTransaction _transaction;
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _save;
    private readonly SqliteStatement _release;
    private readonly SqliteStatement _commit;
    private readonly Checkpointer _checkpointer;
    private readonly ServerMetrics? _metrics;
    private readonly Thread _thread;
    private readonly Lock _gate = new();

    // Not one that spins before it sleeps: between events that come singly, that would be most of what the writer does.
    private readonly AutoResetEvent _queued = new(initialState: false);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<StoreWrite> _waiting = [];
    private List<StoreWrite> _taken = [];
    private bool _closed;
    private bool? _isSynced;

    /// <param name="location">Where the database lies.</param>
    /// <param name="metrics">Is told of every commit; null where nobody counts.</param>
    public StoreWriter(StoreLocation location, ServerMetrics? metrics = null)
    {
        _metrics = metrics;
        _connection = location.Open();
        Execute("PRAGMA wal_autocheckpoint = 0");

        // The writer begins and commits by itself: EF only runs its commands in between.
        var context = new SqliteDbContext(SqliteDbContext.OptionsFor(_connection));
        context.Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
        context.Database.AutoSavepointsEnabled = false;

        _transaction = new StoreTransaction(_connection, context);
        _begin = new SqliteStatement(_connection.Handle!, "BEGIN IMMEDIATE");
        _save = new SqliteStatement(_connection.Handle!, "SAVEPOINT work");
        _release = new SqliteStatement(_connection.Handle!, "RELEASE work");
        _commit = new SqliteStatement(_connection.Handle!, "COMMIT");
        _checkpointer = new Checkpointer(location);
        _thread = new Thread(Run) { IsBackground = true, Name = "store writer" };
        _thread.Start();
    }

    /// <summary>How many writes wait for the next commit.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Runs a delegate on the writer's thread and completes once it is committed.</summary>
    /// <remarks>What the delegate throws comes back to the caller, and nothing of what it did is kept.</remarks>
    /// <exception cref="StoreException">The database refused the write or the commit; nothing of it was kept.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed. What was taken before is committed first.</exception>
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

        _queued.Set();
        await _ended.Task;
        await _checkpointer.DisposeAsync();
        _transaction.Dispose();
        _begin.Dispose();
        _save.Dispose();
        _release.Dispose();
        _commit.Dispose();
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
            _queued.Set();
        }
    }

    private void Run()
    {
        do
        {
            _queued.WaitOne();
            while (TryTake())
            {
                var begunAt = Stopwatch.GetTimestamp();
                Commit(_taken);
                _metrics?.Committed(_isSynced == true, _taken.Count, Stopwatch.GetElapsedTime(begunAt));
                _taken.Clear();
            }
        }
        while (!IsDone());

        _ended.SetResult();
    }

    private bool TryTake()
    {
        lock (_gate)
        {
            (_waiting, _taken) = (_taken, _waiting);
            return _taken.Count > 0;
        }
    }

    private bool IsDone()
    {
        lock (_gate)
        {
            return _closed && _waiting.Count == 0;
        }
    }

    private void Commit(List<StoreWrite> writes)
    {
        try
        {
            SetSynchronous(writes.Exists(static write => write.Durability == Durability.Power));
            _begin.Execute();
            if (writes is [var alone])
            {
                if (!TryRun(alone))
                {
                    RollBack();
                    alone.Complete();
                    return;
                }
            }
            else
            {
                foreach (var write in writes)
                {
                    RunInSavepoint(write);
                }
            }

            HoldPoints.Reach(HoldPoint.BeforeCommit);
            _commit.Execute();
            HoldPoints.Reach(HoldPoint.AfterCommit);
        }
        catch (StoreException failure)
        {
            RollBack();
            var wrapped = new StoreException("The store did not take the write: " + failure.Message, failure);
            foreach (var write in writes)
            {
                write.Fail(wrapped);
            }

            return;
        }

        foreach (var write in writes)
        {
            write.Complete();
        }

        _checkpointer.Committed(_connection.Handle!);
    }

    private void RunInSavepoint(StoreWrite write)
    {
        _save.Execute();
        if (!TryRun(write))
        {
            Execute("ROLLBACK TO work");
        }

        // Where SQLite itself gave the whole transaction up, there is no savepoint any more, and everybody hears of it.
        _release.Execute();
    }

    private bool TryRun(StoreWrite write)
    {
        try
        {
            return write.TryRun(_transaction);
        }
        finally
        {
            _transaction.Reset();
        }
    }

    /// <summary>Some errors (a full disk, a failed read) roll back by themselves; after the others the transaction is still open.</summary>
    private void RollBack()
    {
        if (raw.sqlite3_get_autocommit(_connection.Handle!) == 0)
        {
            raw.sqlite3_exec(_connection.Handle!, "ROLLBACK");
        }
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
