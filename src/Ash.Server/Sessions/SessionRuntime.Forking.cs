using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>What a fork needs of the session that it is made from: that it stands still, and where it stands.</summary>
internal sealed partial class SessionRuntime
{
    /// <summary>Runs work while the session is neither parked nor ended, and its files may be made to stand still.</summary>
    public async Task<ForkSession> ForkAsync(Func<ForkedState, Task<ForkSession>> work)
    {
        using var turn = await _lifecycle.EnterAsync();
        if (_waking is { } waking)
        {
            // A sandbox that is coming up begins to write; one that waits for a place does not.
            await Task.WhenAny(waking.Ended, Task.Delay(BridgePatience, _services.Clock, _closing.Token));
        }

        SessionSandbox? sandbox;
        using (await _gate.EnterAsync())
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
            return await work(new ForkedState(_session, running, () => sandbox?.Thaw()));
        }
        finally
        {
            sandbox?.Thaw();
            await GoOnAfterHoldAsync();
        }
    }
}

/// <param name="Session">The session that is forked.</param>
/// <param name="RunningTurn">What is not forked: the turn that runs.</param>
/// <param name="EndStillness">To be called once the files are copied.</param>
internal sealed record ForkedState(SessionRecord Session, Guid? RunningTurn, Action EndStillness);
