using System.Data;
using Npgsql;

namespace Ash.Server.Storage.Postgres;

/// <summary>The connection that writes Postgres. What delegates execute is kept until it must be sent, and then goes in one round trip.</summary>
/// <remarks>
/// A commit of delegates that only execute statements is one round trip, however many they are: <c>BEGIN</c>, theirs, and
/// <c>COMMIT</c>. Where one of the statements fails, the others are sent again without those of its delegate. A delegate that uses
/// EF, or wants a count, has what came before sent first, and then a savepoint of its own. A connection that broke is opened
/// anew at the next transaction.
/// </remarks>
internal sealed class PostgresStoreConnection : StoreConnection
{
    private readonly PostgresDatabase _database;
    private readonly PostgresServing _serving;

    /// <summary>What opens the transaction, or mends it, and goes before everything else.</summary>
    private readonly List<NpgsqlBatchCommand> _first = [];

    private readonly List<Queued> _queued = [];
    private NpgsqlConnection? _connection;
    private StoreTransaction? _transaction;
    private StoreWrite? _current;
    private bool _isAlone;
    private bool _hasSent;

    /// <summary>Whether the current delegate's effects are in the transaction already, behind a savepoint unless it is alone.</summary>
    private bool _isSettled;

    /// <exception cref="StoreException">There is no connection to the database, or another server uses it.</exception>
    public PostgresStoreConnection(PostgresDatabase database)
    {
        _database = database;
        _serving = new PostgresServing(database.Address);
        Open();
    }

    public override StoreStatement Prepare(string sql) => new PostgresStatement(this, sql);

    /// <summary>Takes a statement of the current delegate.</summary>
    public void Send(NpgsqlBatchCommand command) => _queued.Add(new Queued(command, _current!)); // Statements are a delegate's.

    public override void Settle()
    {
        if (!_isSettled)
        {
            SendOthers();
            _isSettled = true;
            if (!_isAlone)
            {
                _first.Add(Command("SAVEPOINT work"));
            }
        }

        if (_first.Count + _queued.Count > 0)
        {
            SendAll(last: null);
        }
    }

    /// <summary>A transaction with a number leaves a record of its end in the log, and that is synced.</summary>
    /// <inheritdoc/>
    public override void Touch() =>
        Send(Command("SELECT pg_current_xact_id(), set_config('synchronous_commit', 'on', true)"));

    public override void Begin(Durability durability)
    {
        if (_connection is not { FullState: ConnectionState.Open })
        {
            Open();

            // What broke this connection broke the readers' as well: none of them should find out by a request that fails.
            _database.ForgetReaders();
        }

        _queued.Clear();
        _first.Clear();
        _first.Add(Command("BEGIN"));
        _first.Add(Command(durability == Durability.Power ? "SET LOCAL synchronous_commit = on" : "SET LOCAL synchronous_commit = off"));
        _hasSent = false;
    }

    public override bool TryRunAlone(StoreWrite write)
    {
        if (TryRun(write, isAlone: true))
        {
            return true;
        }

        RollBack();
        return false;
    }

    public override void Run(StoreWrite write)
    {
        if (!TryRun(write, isAlone: false))
        {
            _queued.RemoveAll(queued => queued.Owner == write);
            if (_isSettled)
            {
                UndoWork();
            }
        }
        else if (_isSettled && !TrySendRest(write))
        {
            UndoWork();
        }
    }

    public override void Commit()
    {
        if (_isAlone && _isSettled)
        {
            if (!TrySend(Command("COMMIT"), out var refused))
            {
                RollBack();
                refused.Owner.Refuse(refused.Failure);
            }
        }
        else if (_hasSent || _queued.Count > 0)
        {
            SendUntilTaken(Command("COMMIT"));
        }
    }

    /// <summary>A connection that cannot even do this is given up.</summary>
    public override void RollBack()
    {
        _queued.Clear();
        _first.Clear();
        if (!_hasSent)
        {
            return;
        }

        try
        {
            _first.Add(Command("ROLLBACK"));
            SendAll(last: null);
        }
        catch (StoreException)
        {
            Close();
        }

        _hasSent = false;
    }

    public override ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private bool TryRun(StoreWrite write, bool isAlone)
    {
        _current = write;
        _isAlone = isAlone;
        _isSettled = false;
        try
        {
            return write.TryRun(_transaction!); // Begin opens it.
        }
        finally
        {
            _transaction!.Reset();
        }
    }

    /// <summary>Sends what the delegates before the current one left, and takes those out that the database refuses.</summary>
    private void SendOthers()
    {
        var own = _queued.FindAll(queued => queued.Owner == _current);
        _queued.RemoveAll(queued => queued.Owner == _current);
        if (_queued.Count > 0)
        {
            SendUntilTaken(last: null);
        }

        _queued.AddRange(own);
    }

    /// <summary>Sends what a delegate executed after it had used EF: only its own savepoint undoes both.</summary>
    private bool TrySendRest(StoreWrite write)
    {
        if (_queued.Count == 0)
        {
            _first.Add(Command("RELEASE work"));
            return true;
        }

        if (TrySend(Command("RELEASE work"), out var refused))
        {
            return true;
        }

        write.Refuse(refused.Failure);
        return false;
    }

    private void SendUntilTaken(NpgsqlBatchCommand? last)
    {
        // What was sent before stays where a statement fails now, and is behind a savepoint.
        var isBehindSavepoint = _hasSent && _queued.Count > 0;
        List<NpgsqlBatchCommand> again = isBehindSavepoint ? [Command("ROLLBACK TO others")] : [Command("ROLLBACK"), .. _first];
        if (isBehindSavepoint)
        {
            _first.Add(Command("SAVEPOINT others"));
        }

        while (!TrySend(last, out var refused))
        {
            refused.Owner.Refuse(refused.Failure);
            _queued.RemoveAll(queued => queued.Owner == refused.Owner);
            _first.AddRange(again);
        }

        if (isBehindSavepoint && last is null)
        {
            _first.Add(Command("RELEASE others"));
        }
    }

    /// <returns>False where the database refused a delegate's statement; those are still queued then.</returns>
    /// <exception cref="StoreException">Anything else failed.</exception>
    private bool TrySend(NpgsqlBatchCommand? last, out Refused refused)
    {
        try
        {
            SendAll(last);
            refused = default;
            return true;
        }
        catch (StoreException failure) when (failure.InnerException is PostgresException { BatchCommand: { } culprit }
            && _queued.Find(queued => queued.Command == culprit) is { Owner: not null } owned)
        {
            refused = new Refused(owned.Owner, new StoreException("The store did not take the write: " + failure.Message, failure));
            _first.Clear();
            return false;
        }
    }

    private void SendAll(NpgsqlBatchCommand? last)
    {
        if (_connection is not { FullState: ConnectionState.Open })
        {
            throw new StoreException(PostgresFailures.ConnectionLost);
        }

        using var batch = new NpgsqlBatch(_connection);
        foreach (var command in _first)
        {
            batch.BatchCommands.Add(command);
        }

        foreach (var queued in _queued)
        {
            batch.BatchCommands.Add(queued.Command);
        }

        if (last is not null)
        {
            batch.BatchCommands.Add(last);
        }

        _hasSent = true;
        try
        {
            batch.ExecuteNonQuery();
        }
        catch (Exception failure) when (PostgresFailures.IsOfDatabase(failure))
        {
            throw PostgresFailures.Wrap(failure);
        }

        _first.Clear();
        _queued.Clear();
    }

    private void UndoWork()
    {
        _queued.Clear();
        _first.Clear();
        _first.Add(Command("ROLLBACK TO work"));
        _first.Add(Command("RELEASE work"));
    }

    private void Open()
    {
        Close();
        var connection = _database.MakeWriter();
        try
        {
            connection.Open();
            _serving.Begin(connection);
            var context = new PostgresDbContext(PostgresDbContext.OptionsFor(connection));
            context.LeaveTransactions();
            _transaction = new StoreTransaction(this, context);
            _connection = connection;
        }
        catch (Exception failure) when (PostgresFailures.IsOfDatabase(failure))
        {
            connection.Dispose();
            throw PostgresFailures.Wrap(failure);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Close()
    {
        _transaction?.Dispose();
        _connection?.Dispose();
        (_transaction, _connection) = (null, null);
    }

    private static NpgsqlBatchCommand Command(string sql) => new(sql);

    private readonly record struct Queued(NpgsqlBatchCommand Command, StoreWrite Owner);

    private readonly record struct Refused(StoreWrite Owner, StoreException Failure);
}
