using System.Diagnostics;
using Ash.Server.Telemetry;

namespace Ash.Server.Storage;

/// <summary>The one writer of the store: one connection, one thread, and each commit takes all that has queued.</summary>
/// <remarks>
/// Every write passes here, EF's included, so delegates are serial: what one has read is still so when it writes. Two writers
/// of SQLite would also stall each other, because the library sleeps on a busy database. Each delegate has a savepoint of its
/// own, unless it is alone: one that fails takes nothing else with it. A delegate must not block or await.
/// </remarks>
internal sealed class StoreWriter : IAsyncDisposable
{
    private readonly StoreConnection _connection;
    private readonly ServerMetrics? _metrics;
    private readonly Thread _thread;
    private readonly Lock _gate = new();

    // Not one that spins before it sleeps: between events that come singly, that would be most of what the writer does.
    private readonly AutoResetEvent _queued = new(initialState: false);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<StoreWrite> _waiting = [];
    private List<StoreWrite> _taken = [];
    private bool _closed;

    /// <param name="connection">The writer's from here on; it goes with it.</param>
    /// <param name="metrics">Is told of every commit; null where nobody counts.</param>
    public StoreWriter(StoreConnection connection, ServerMetrics? metrics = null)
    {
        _connection = connection;
        _metrics = metrics;
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
        await _connection.DisposeAsync();
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
                var isSynced = Commit(_taken);
                _metrics?.Committed(isSynced, _taken.Count, Stopwatch.GetElapsedTime(begunAt));
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

    /// <returns>Whether it was to survive a power cut.</returns>
    private bool Commit(List<StoreWrite> writes)
    {
        var isSynced = writes.Exists(static write => write.Durability == Durability.Power);
        try
        {
            _connection.Begin(isSynced ? Durability.Power : Durability.Process);
            if (writes is [var alone])
            {
                if (!_connection.TryRunAlone(alone))
                {
                    alone.Complete();
                    return isSynced;
                }
            }
            else
            {
                foreach (var write in writes)
                {
                    _connection.Run(write);
                }
            }

            HoldPoints.Reach(HoldPoint.BeforeCommit);
            _connection.Commit();
            HoldPoints.Reach(HoldPoint.AfterCommit);
        }
        catch (StoreException failure)
        {
            _connection.RollBack();
            var wrapped = new StoreException("The store did not take the write: " + failure.Message, failure);
            foreach (var write in writes)
            {
                write.Fail(wrapped);
            }

            return isSynced;
        }

        foreach (var write in writes)
        {
            write.Complete();
        }

        _connection.Committed();
        return isSynced;
    }
}
