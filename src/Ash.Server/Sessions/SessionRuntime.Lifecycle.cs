using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Runner.Sandboxes;
using Ash.Server.Http;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>Create, pause, stop, resume, end: one after another, each with its event and its status in one transaction.</summary>
internal sealed partial class SessionRuntime
{
    private readonly ITimer _pauseTimer;
    private bool _isHolding;
    private bool _isDraining;

    /// <summary>Starts the sandbox of a session that was just made.</summary>
    /// <returns>Null once it is active, else the reason why it is not.</returns>
    public async Task<Problem?> StartAsync()
    {
        Waking waking;
        using (await _gate.EnterAsync())
        {
            if (IsLeaving)
            {
                return Problems.ShuttingDown;
            }

            waking = BeginWaking();
        }

        return (await AwaitAsync(waking))?.ToProblem(Problems.CreateFailed);
    }

    /// <summary>Changes how the agent works, whatever the session's status. A process that does not fit the next turn is replaced then.</summary>
    /// <param name="change">JSON of an <see cref="UpdateSessionConfigRequest"/> that was checked.</param>
    public async Task<Problem?> ConfigureAsync(string change)
    {
        var request = JsonSerializer.Deserialize(change, ApiJson.Default.UpdateSessionConfigRequest)!; // It was read before.
        using var entered = await _gate.EnterAsync();
        var config = SessionOptions.Merge(_session.Config, SessionOptions.Of(request));
        var model = request.Model ?? _session.Model;
        var at = _services.Clock.GetUtcNow();
        await _services.Writer.WriteAsync(Durability.Power, transaction => transaction.Db.Sessions
            .Where(session => session.Id == Id)
            .ExecuteUpdate(update => update
                .SetProperty(session => session.Config, config)
                .SetProperty(session => session.Model, model)
                .SetProperty(session => session.LastActiveAt, at)));
        (_session.Config, _session.Model, _session.LastActiveAt) = (config, model, at);
        return null;
    }

    /// <summary>Parks an active session. Its sandbox stays for a grace time, then goes.</summary>
    public async Task<Problem?> PauseAsync(string reason)
    {
        using var turn = await _lifecycle.EnterAsync();
        using (await _gate.EnterAsync())
        {
            if (_session.Status == SessionStatus.Starting)
            {
                // What is refused changes nothing: whoever creates it gets it.
                return Problems.CannotChange("pause", _session.Status);
            }
        }

        // Else it would undo the pause when it is done.
        await EndWakingAsync();

        using (await _gate.EnterAsync())
        {
            if (_session.Status != SessionStatus.Active)
            {
                return Problems.CannotChange("pause", _session.Status);
            }
        }

        try
        {
            await EndTurnsAsync(cancelsWaiting: true);
            using (await _gate.EnterAsync())
            {
                await BecomePausedAsync(reason);
            }
        }
        finally
        {
            await GoOnAfterHoldAsync();
        }

        return null;
    }

    /// <summary>Parks the session if nothing has happened in it since <paramref name="cutoff"/>, and nothing happens.</summary>
    public async Task PauseIfIdleAsync(DateTimeOffset cutoff)
    {
        if (!IsIdleSince(cutoff))
        {
            return;
        }

        using var turn = await _lifecycle.EnterAsync();
        using var entered = await _gate.EnterAsync();
        if (IsIdleSince(cutoff) && !IsLeaving)
        {
            await BecomePausedAsync("idle");
        }
    }

    /// <summary>Ends the sandbox; only a resume leaves this.</summary>
    public async Task<Problem?> StopAsync()
    {
        using var turn = await _lifecycle.EnterAsync();
        using (await _gate.EnterAsync())
        {
            if (_session.Status is not (SessionStatus.Active or SessionStatus.Starting))
            {
                return Problems.CannotChange("stop", _session.Status);
            }
        }

        await CloseAsync(SessionStatus.Stopped, Facts.Stopped());
        return null;
    }

    /// <summary>Makes the session active, with the sandbox that it still has or a new one.</summary>
    public async Task<Problem?> ResumeAsync()
    {
        using var turn = await _lifecycle.EnterAsync();
        Waking waking;
        using (await _gate.EnterAsync())
        {
            // One that was ended leaves too, and that is not the server's end.
            if (IsLeaving && _session.Status != SessionStatus.Ended)
            {
                return Problems.ShuttingDown;
            }

            switch (_session.Status)
            {
                case SessionStatus.Ended:
                    return Problems.SessionEnded;
                case SessionStatus.Active:
                    return null;
                case SessionStatus.Stopped:
                    await ChangeStatusAsync(SessionStatus.Paused, []);
                    break;
            }

            waking = BeginWaking();
        }

        return (await AwaitAsync(waking))?.ToProblem(Problems.ResumeFailed);
    }

    /// <summary>Ends the session for ever. Its rows and files stay for the retention time.</summary>
    public async Task EndAsync()
    {
        using var turn = await _lifecycle.EnterAsync();
        if (_session.Status == SessionStatus.Ended)
        {
            // Its sandbox may be on its way out: whoever purges needs it gone.
            await CloseSandboxAsync(static () => true);
            await _closed;
            return;
        }

        await CloseAsync(SessionStatus.Ended, Facts.Ended());
        _log.Complete();
    }

    /// <summary>Runs a command of a user in the workspace, waking the session for it.</summary>
    public async Task<(ExecResult? Result, Problem? Problem)> ExecAsync(string command, int timeoutMs, CancellationToken cancellationToken)
    {
        SessionSandbox? sandbox = null;
        while (sandbox is null)
        {
            Waking waking;
            using (await _gate.EnterAsync())
            {
                if (_session.Status is SessionStatus.Stopped or SessionStatus.Ended)
                {
                    return (null, Problems.SessionIs(_session.Status));
                }

                if (IsLeaving)
                {
                    return (null, Problems.ShuttingDown);
                }

                if (_sandbox is not null && _session.Status == SessionStatus.Active)
                {
                    sandbox = _sandbox;
                    _session.LastActiveAt = _services.Clock.GetUtcNow();
                    break;
                }

                waking = BeginWaking();
            }

            if (await AwaitAsync(waking) is { } failure)
            {
                return (null, failure.ToProblem(WhyExecFailed));
            }
        }

        try
        {
            sandbox.SetPriority(isWaitedFor: true);
            var capture = await sandbox.ExecAsync(command, timeoutMs, cancellationToken);
            var exited = await capture.Exited.Task;
            var code = exited.TimedOut ? 124 : exited.Code ?? 128 + (exited.Signal ?? 0);
            return (new ExecResult(code, capture.Stdout, capture.Stderr, exited.TimedOut, exited.Truncated), null);
        }
        catch (SandboxException failure)
        {
            return (null, WhyExecFailed(failure.Message));
        }
    }

    /// <summary>Whoever stops or ends a session ends its commands, which is nobody's failure.</summary>
    private Problem WhyExecFailed(string reason) =>
        _session.Status is SessionStatus.Stopped or SessionStatus.Ended ? Problems.SessionIs(_session.Status) : Problems.ExecFailed(reason);

    /// <summary>Before the server goes: the session is parked and its sandbox ended, or left alone for the next server.</summary>
    public async Task DrainAsync(bool keepSandbox)
    {
        using var turn = await _lifecycle.EnterAsync();
        using (await _gate.EnterAsync())
        {
            _isDraining = true;
            _isHolding = true;
        }

        if (keepSandbox)
        {
            return;
        }

        await EndWakingAsync();
        if (_session.Status == SessionStatus.Active)
        {
            // What waits is in the store: the next server runs it.
            await EndTurnsAsync(cancelsWaiting: false);
            using var entered = await _gate.EnterAsync();
            await ChangeStatusAsync(SessionStatus.Paused, [Facts.Paused("shutdown")]);
        }

        await CloseSandboxAsync(static () => true);
    }

    /// <summary>Ends the sandbox of an idle session, so that another can have its place. The next message wakes it.</summary>
    /// <returns>Whether there is a place now.</returns>
    public async Task<bool> TryEvictAsync()
    {
        using var turn = await _lifecycle.EnterAsync();
        using (await _gate.EnterAsync())
        {
            if (!IsEvictable)
            {
                return false;
            }

            if (_session.Status == SessionStatus.Active)
            {
                await ChangeStatusAsync(SessionStatus.Paused, [Facts.Paused("evicted")]);
            }
        }

        await CloseSandboxAsync(() => IsEvictable && _session.Status == SessionStatus.Paused);
        if (_sandbox is not null)
        {
            return false;
        }

        _services.Counters.CountEviction();
        return true;
    }

    /// <summary>A sandbox that is on its way is waited for; one that has no place yet is not wanted any more.</summary>
    private async Task EndWakingAsync()
    {
        if (_waking is { } waking)
        {
            waking.GiveUp();
            await waking.Ended;
        }
    }

    private bool IsWorking => _current is not null || _waiting.Count > 0 || _sandbox is { RunningExecs: > 0 };

    private bool IsIdleSince(DateTimeOffset cutoff) =>
        _session.Status == SessionStatus.Active && _session.LastActiveAt < cutoff && !IsWorking && _waking is null;

    private async Task BecomePausedAsync(string reason)
    {
        await ChangeStatusAsync(SessionStatus.Paused, [Facts.Paused(reason)]);
        ArmPauseTimer();
    }

    private async Task CloseAsync(SessionStatus status, LogEntry fact)
    {
        try
        {
            await EndTurnsAsync(cancelsWaiting: true);
            using (await _gate.EnterAsync())
            {
                await CancelWaitingAsync();
                await ChangeStatusAsync(status, [fact]);
            }

            await EndWakingAsync();
            await CloseSandboxAsync(static () => true);
            await _closed;
        }
        finally
        {
            await GoOnAfterHoldAsync();
        }
    }

    /// <summary>What was sent during a hold waits no longer: it wakes a session that was paused.</summary>
    private async Task GoOnAfterHoldAsync()
    {
        using var entered = await _gate.EnterAsync();
        _isHolding = _isDraining;
        await PumpAsync();
    }

    private async Task CancelWaitingAsync()
    {
        while (_waiting.TryPeek(out var waiting))
        {
            await CompleteAsync(waiting, TurnOutcome.Stopped(TurnReason.Cancelled));
            _waiting.Dequeue();
        }
    }

    /// <summary>Interrupts what runs, and cancels what waits if asked to; what is sent meanwhile waits until the caller is done.</summary>
    private async Task EndTurnsAsync(bool cancelsWaiting)
    {
        Turn? running;
        using (await _gate.EnterAsync())
        {
            _isHolding = true;
            if (cancelsWaiting)
            {
                await CancelWaitingAsync();
            }

            running = _current;
            if (running is not null)
            {
                await AskToStopAsync(running, TurnReason.Interrupted);
            }
        }

        if (running is null || running.Ended.IsCompleted)
        {
            return;
        }

        await Task.WhenAny(running.Ended, Task.Delay(ExitPatience, _services.Clock));
        using (await _gate.EnterAsync())
        {
            if (_current == running)
            {
                await CompleteAsync(running, TurnOutcome.Stopped(TurnReason.Interrupted));
                if (_sandbox is { Cli.IsRunning: true } sandbox)
                {
                    KillCli(sandbox);
                }
            }
        }
    }

    private async Task ChangeStatusAsync(SessionStatus status, IReadOnlyList<LogEntry> entries, params SandboxLogLine[] lines)
    {
        var at = _services.Clock.GetUtcNow();
        var endedAt = status == SessionStatus.Ended ? at : (DateTimeOffset?)null;
        await _log.AppendAsync(entries, Durability.Power, IsQuiet, (transaction, _) =>
        {
            transaction.SetStatus(Id, status, at, endedAt);
            SandboxLog.Append(transaction, Id, lines, at);
        });
        _session.Status = status;
        _session.LastActiveAt = at;
        _session.EndedAt = endedAt;
    }

    private void ArmPauseTimer() => _pauseTimer.Change(_services.Settings.PauseGrace, Timeout.InfiniteTimeSpan);

    private async Task CloseIfStillPausedAsync()
    {
        using var turn = await _lifecycle.EnterAsync();
        await CloseSandboxAsync(() => _session.Status == SessionStatus.Paused && !IsWorking && _waking is null && !_isClosed);
        using var entered = await _gate.EnterAsync();
        if (_session.Status == SessionStatus.Paused && _sandbox is not null && !_isClosed)
        {
            // A command of a user still runs inside.
            ArmPauseTimer();
        }
    }
}
