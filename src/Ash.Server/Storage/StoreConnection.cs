namespace Ash.Server.Storage;

/// <summary>The writer's side of one database: a connection, its transaction, and a savepoint for each delegate. For one thread.</summary>
internal abstract class StoreConnection : IAsyncDisposable
{
    /// <summary>Prepares a statement of what every delegate may use.</summary>
    /// <param name="sql">In the words that both databases know, with <c>?1</c>, <c>?2</c> … as parameters.</param>
    public abstract StoreStatement Prepare(string sql);

    /// <summary>EF is about to run commands on this connection: what was executed before must have come to the database.</summary>
    /// <exception cref="StoreException">Something of it failed.</exception>
    public abstract void Settle();

    /// <summary>Makes the database write to its disk without changing anything.</summary>
    /// <exception cref="StoreException">The disk is full, or broken.</exception>
    public abstract void Touch();

    /// <summary>Begins a transaction.</summary>
    /// <param name="durability">What its commit must survive.</param>
    /// <exception cref="StoreException">There is no connection to the database, or it refuses.</exception>
    public abstract void Begin(Durability durability);

    /// <summary>Runs a delegate that has the transaction for itself.</summary>
    /// <returns>False where it threw; the transaction is then rolled back.</returns>
    public abstract bool TryRunAlone(StoreWrite write);

    /// <summary>Runs a delegate in a savepoint of its own: one that throws is undone alone.</summary>
    /// <exception cref="StoreException">The whole transaction is lost.</exception>
    public abstract void Run(StoreWrite write);

    /// <exception cref="StoreException">Nothing of the transaction was kept, as far as is known.</exception>
    public abstract void Commit();

    /// <summary>Gives up whatever is left of a transaction; never throws.</summary>
    public abstract void RollBack();

    /// <summary>A commit holds, and its callers know.</summary>
    public virtual void Committed()
    {
    }

    public abstract ValueTask DisposeAsync();
}
