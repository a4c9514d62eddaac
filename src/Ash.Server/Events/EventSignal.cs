using System.Threading.Tasks.Sources;

namespace Ash.Server.Events;

/// <summary>
/// Wakes one waiter. A signal that comes while nobody waits is kept for the next wait; several are one. Setting it never runs
/// the waiter's code, and waiting allocates nothing.
/// </summary>
internal sealed class EventSignal : IValueTaskSource
{
    private const int Unset = 0, Signalled = 1, Awaited = 2;
    private ManualResetValueTaskSourceCore<bool> source = new() { RunContinuationsAsynchronously = true };
    private int state;

    /// <summary>Completes with the next signal. There is never more than one wait at a time.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref state, Unset, Signalled) == Signalled)
        {
            return ValueTask.CompletedTask;
        }

        // Only the waiter touches the source until the state says that it waits.
        source.Reset();
        var version = source.Version;
        if (Interlocked.CompareExchange(ref state, Awaited, Unset) == Signalled)
        {
            Volatile.Write(ref state, Unset);
            return ValueTask.CompletedTask;
        }

        return new(this, version);
    }

    public void Set()
    {
        while (true)
        {
            switch (Volatile.Read(ref state))
            {
                case Signalled:
                    return;
                case Awaited when Interlocked.CompareExchange(ref state, Unset, Awaited) == Awaited:
                    source.SetResult(true);
                    return;
                case Unset when Interlocked.CompareExchange(ref state, Signalled, Unset) == Unset:
                    return;
            }
        }
    }

    void IValueTaskSource.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
