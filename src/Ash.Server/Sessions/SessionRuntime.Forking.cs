using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>What a fork needs of the session that it is made from: that it stands still, and where it stands.</summary>
internal sealed partial class SessionRuntime
{
    private Task _copied = Task.CompletedTask;

    /// <summary>Runs work while the session is neither parked nor ended, and its files may be made to stand still.</summary>
    public async Task<ForkSession> ForkAsync(Func<ForkedState, Task<ForkSession>> work)
    {
        using var turn = await _lifecycle.EnterAsync();
        var copied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        SessionSandbox? sandbox;
        using (await EnterBetweenWakingsAsync())
        {
            if (IsLeaving)
            {
                // One that was purged meanwhile is closed for good.
                return new ForkSession.Refused(
                    !_isDraining && _session.Status == SessionStatus.Ended ? Problems.UnknownSession : Problems.ShuttingDown);
            }

            sandbox = _sandbox;

            // Without a sandbox nothing writes, and nothing is to begin.
            _isHolding = sandbox is null;
            _copied = copied.Task;
        }

        try
        {
            if (sandbox is not null)
            {
                await sandbox.FreezeAsync(_closing.Token);
            }

            Guid? running;
            using (await _gate.EnterAsync())
            {
                running = _current?.Id;
            }

            // The long part of the work, its log, needs no stillness: it thaws what was frozen.
            return await work(new ForkedState(_session, running, EndStillness));
        }
        finally
        {
            EndStillness();
            await GoOnAfterHoldAsync();
        }

        void EndStillness()
        {
            sandbox?.Thaw();
            copied.TrySetResult();
        }
    }

    /// <summary>Enters the gate while no sandbox is coming up, which begins to write; one that waits for a place does not.</summary>
    private async Task<Gate.Pass> EnterBetweenWakingsAsync()
    {
        while (true)
        {
            var entered = await _gate.EnterAsync();
            if (IsLeaving || _waking is not { IsWaiting: false } waking)
            {
                return entered;
            }

            entered.Dispose();
            Task next = waking.Queued.IsCompleted ? waking.Ended : waking.Queued;
            await next;
        }
    }

    /// <summary>Where the place comes while the files are copied, the sandbox starts after that.</summary>
    private async Task WaitForCopyAsync()
    {
        Task copied;
        using (await _gate.EnterAsync())
        {
            copied = _copied;
        }

        await copied.WaitAsync(_closing.Token);
    }
}

/// <param name="Session">The session that is forked.</param>
/// <param name="RunningTurn">What is not forked: the turn that runs.</param>
/// <param name="EndStillness">To be called once the files are copied.</param>
internal sealed record ForkedState(SessionRecord Session, Guid? RunningTurn, Action EndStillness);
