namespace Ash.Server.Storage;

/// <summary>A statement of the writer's connection, prepared once. Its parameters are <c>?1</c>, <c>?2</c> … in every database.</summary>
internal abstract class StoreStatement : IDisposable
{
    public abstract StoreStatement Bind(int index, long? value);

    public abstract StoreStatement Bind(int index, bool value);

    public abstract StoreStatement Bind(int index, string? value);

    public abstract StoreStatement Bind(int index, Guid? value);

    /// <summary>Binds bytes, which must not change before the delegate's commit.</summary>
    public abstract StoreStatement Bind(int index, ReadOnlyMemory<byte>? value);

    /// <summary>Binds text that is UTF-8 already.</summary>
    public abstract StoreStatement BindText(int index, ReadOnlySpan<byte> value);

    /// <summary>Runs the statement with what was bound, at the latest before the commit, and in its order.</summary>
    /// <exception cref="StoreException">It failed, or the delegate's write will; in either case nothing of the delegate is kept.</exception>
    public abstract void Execute();

    /// <summary>Runs the statement now.</summary>
    /// <returns>How many rows it changed.</returns>
    /// <exception cref="StoreException">It failed, or one before it that belongs to the same delegate.</exception>
    public abstract int ExecuteAndCount();

    public abstract void Dispose();
}
