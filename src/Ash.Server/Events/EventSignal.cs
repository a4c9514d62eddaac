using System.Threading.Tasks.Sources;

namespace Ash.Server.Events;

/// <summary>
/// Wakes one waiter. A signal that comes while nobody waits is kept for the next wait; several are one. Setting it never runs
/// the waiter's code, and waiting allocates nothing.
/// </summary>
internal sealed class EventSignal : IValueTaskSource
{
    private const int Unset = 0, Signalled = 1, Awaited = 2;
    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>Completes with the next signal. There is never more than one wait at a time.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref _state, Unset, Signalled) == Signalled)
        {
            return ValueTask.CompletedTask;
        }

        // Only the waiter touches the source until the state says that it waits.
        _source.Reset();
        var version = _source.Version;
        if (Interlocked.CompareExchange(ref _state, Awaited, Unset) == Signalled)
        {
            Volatile.Write(ref _state, Unset);
            return ValueTask.CompletedTask;
        }

        return new(this, version);
    }

    public void Set()
    {
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Signalled:
                    return;
                case Awaited when Interlocked.CompareExchange(ref _state, Unset, Awaited) == Awaited:
                    _source.SetResult(true);
                    return;
                case Unset when Interlocked.CompareExchange(ref _state, Signalled, Unset) == Unset:
                    return;
            }
        }
    }

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
