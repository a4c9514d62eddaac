using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Ash.Server.Storage.Sqlite;

/// <summary>The connection that writes SQLite, and moves its write-ahead log on.</summary>
internal sealed class SqliteStoreConnection : StoreConnection
{
    private readonly SqliteConnection _connection;
    private readonly StoreTransaction _transaction;
    private readonly StoreStatement _begin;
    private readonly StoreStatement _save;
    private readonly StoreStatement _release;
    private readonly StoreStatement _commit;
    private readonly Checkpointer _checkpointer;
    private Durability? _durability;
    private int _touches;

    public SqliteStoreConnection(SqliteLocation location)
    {
        _connection = location.Open();
        Execute("PRAGMA wal_autocheckpoint = 0");
        var context = new SqliteDbContext(SqliteDbContext.OptionsFor(_connection));
        context.LeaveTransactions();
        _transaction = new StoreTransaction(this, context);
        _begin = Prepare("BEGIN IMMEDIATE");
        _save = Prepare("SAVEPOINT work");
        _release = Prepare("RELEASE work");
        _commit = Prepare("COMMIT");
        _checkpointer = new Checkpointer(location);
    }

    public override StoreStatement Prepare(string sql) => new SqliteStatement(_connection.Handle!, sql);

    /// <summary>Everything was run where it was executed.</summary>
    public override void Settle()
    {
    }

    /// <summary>The database's header has a number that nobody else uses.</summary>
    /// <inheritdoc/>
    public override void Touch()
    {
        using var statement = Prepare($"PRAGMA user_version = {++_touches}");
        statement.Execute();
    }

    public override void Begin(Durability durability)
    {
        SetSynchronous(durability);
        _begin.Execute();
    }

    public override bool TryRunAlone(StoreWrite write)
    {
        if (TryRun(write))
        {
            return true;
        }

        RollBack();
        return false;
    }

    public override void Run(StoreWrite write)
    {
        _save.Execute();
        if (!TryRun(write))
        {
            Execute("ROLLBACK TO work");
        }

        // Where SQLite itself gave the whole transaction up, there is no savepoint any more, and everybody hears of it.
        _release.Execute();
    }

    public override void Commit() => _commit.Execute();

    /// <summary>Some errors (a full disk, a failed read) roll back by themselves; after the others the transaction is still open.</summary>
    public override void RollBack()
    {
        if (raw.sqlite3_get_autocommit(_connection.Handle!) == 0)
        {
            raw.sqlite3_exec(_connection.Handle!, "ROLLBACK");
        }
    }

    public override void Committed() => _checkpointer.Committed(_connection.Handle!);

    public override async ValueTask DisposeAsync()
    {
        await _checkpointer.DisposeAsync();
        _transaction.Dispose();
        _begin.Dispose();
        _save.Dispose();
        _release.Dispose();
        _commit.Dispose();
        _connection.Dispose();
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

    /// <summary>By <c>sqlite3_exec</c> and outside a transaction: prepared and stepped later, it has no effect.</summary>
    private void SetSynchronous(Durability durability)
    {
        if (_durability != durability)
        {
            Execute(durability == Durability.Power ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            _durability = durability;
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
