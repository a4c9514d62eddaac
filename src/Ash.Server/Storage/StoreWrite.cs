using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Storage;

/// <summary>A delegate that waits for the writer, and the task of whoever waits for it.</summary>
internal abstract class StoreWrite(Durability durability)
{
    public Durability Durability { get; } = durability;

    /// <summary>Runs the delegate; false where it threw, which its caller will see.</summary>
    public abstract bool TryRun(StoreTransaction transaction);

    /// <summary>The commit holds; the caller may go on.</summary>
    public abstract void Complete();

    /// <summary>The database refuses what the delegate asked for; the caller hears of it at <see cref="Complete"/>.</summary>
    public abstract void Refuse(StoreException failure);

    public abstract void Fail(Exception failure);
}

internal sealed class StoreWrite<T>(Durability durability, Func<StoreTransaction, T> work) : StoreWrite(durability)
{
    private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;
    private Exception? _failure;

    public Task<T> Task => _source.Task;

    public override bool TryRun(StoreTransaction transaction)
    {
        try
        {
            _result = work(transaction);
            return true;
        }
#pragma warning disable CA1031 // Whatever a delegate throws belongs to whoever sent it, not to the writer.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure = failure is DbException or DbUpdateException
                ? new StoreException("The store did not take the write: " + (failure.InnerException ?? failure).Message, failure)
                : failure;
            return false;
        }
    }

    public override void Complete()
    {
        if (_failure is not null)
        {
            _source.TrySetException(_failure);
        }
        else
        {
            _source.TrySetResult(_result!);
        }
    }

    public override void Refuse(StoreException failure) => _failure ??= failure;

    public override void Fail(Exception failure) => _source.TrySetException(_failure ?? failure);
}
