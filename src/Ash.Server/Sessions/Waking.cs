using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>A start of a session's sandbox that is under way; all who need it wait for the same one.</summary>
internal sealed class Waking
{
    private readonly TaskCompletionSource _queued = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _placed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<WakeFailure?> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _givingUp = new();

    /// <summary>Completes once there is a place on the machine for the sandbox, or the waking has ended without.</summary>
    public Task Placed => _placed.Task;

    /// <summary>Completes once it waits for a place, or the waking has ended without.</summary>
    public Task Queued => _queued.Task;

    /// <summary>Whether nothing of the session runs or begins to, because the machine has no place for it.</summary>
    public bool IsWaiting => _queued.Task.IsCompleted && !_placed.Task.IsCompleted;

    /// <summary>Completes with null once the session is active, else with the reason why it is not.</summary>
    public Task<WakeFailure?> Ended => _ended.Task;

    /// <summary>Cancelled where nobody needs the sandbox any more and it has no place yet.</summary>
    public CancellationToken GivingUp => _givingUp.Token;

    public void GiveUp() => _givingUp.Cancel();

    public void MarkQueued() => _queued.TrySetResult();

    public void MarkPlaced() => _placed.TrySetResult();

    public void End(WakeFailure? failure)
    {
        _ended.TrySetResult(failure);
        _placed.TrySetResult();
        _queued.TrySetResult();
    }
}

/// <summary>Why a session was not woken.</summary>
/// <param name="Reason">For people.</param>
/// <param name="IsForCapacity">The machine is full; the session is as it was.</param>
internal sealed record WakeFailure(string Reason, bool IsForCapacity = false)
{
    public static readonly WakeFailure NoCapacity = new(Problems.NoCapacity.Message, IsForCapacity: true);

    /// <param name="other">The problem where it is not the machine's capacity.</param>
    public Problem ToProblem(Func<string, Problem> other) => IsForCapacity ? Problems.NoCapacity : other(Reason);
}
