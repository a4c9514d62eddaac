using Ash.Runner.Sandboxes;
using Ash.Server.Runners;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>From no sandbox to an active session: a place on the machine, the start, the CLI ahead of the first message.</summary>
internal sealed partial class SessionRuntime
{
    private Waking? _waking;

    /// <summary>Begins to start a sandbox, unless one is being started. Under the gate.</summary>
    private Waking BeginWaking()
    {
        if (_waking is null)
        {
            var waking = new Waking();
            _waking = waking;
            RunBeside(() => WakeAsync(waking));
        }

        return _waking;
    }

    /// <summary>Waits for a sandbox, but not for ever where the machine has no place for it. Not under the gate.</summary>
    private async Task<WakeFailure?> AwaitAsync(Waking waking)
    {
        try
        {
            await waking.Placed.WaitAsync(_services.Settings.CapacityWait, _services.Clock);
        }
        catch (TimeoutException)
        {
            using var entered = await _gate.EnterAsync();
            if (!HasWork)
            {
                waking.GiveUp();
            }

            return WakeFailure.NoCapacity;
        }

        return await waking.Ended;
    }

    private async Task WakeAsync(Waking waking)
    {
        WakeFailure? failure = new("it could not be woken");
        try
        {
            failure = await WakeOnceAsync(waking);
        }
        catch (Exception problem) when (StoreException.MayPass(problem))
        {
            LogWakeFailed(problem, Id);
            failure = new WakeFailure(problem.Message);
        }
        finally
        {
            using (await _gate.EnterAsync())
            {
                _waking = null;
                if (failure is null || failure.IsForCapacity)
                {
                    await PumpAsync();
                }
                else if (HasWork)
                {
                    // Not even the failure could be stored: those who wait are looked after later.
                    _retryTimer.Change(RetryDelay, Timeout.InfiniteTimeSpan);
                }
            }

            waking.End(failure ?? (_sandbox is null ? new WakeFailure("the sandbox was lost") : null));
        }
    }

    private async Task<WakeFailure?> WakeOnceAsync(Waking waking)
    {
        while (true)
        {
            SessionSandbox? started = null;
            WakeFailure? failure = null;
            if (_sandbox is null)
            {
                (started, failure) = await TryStartAsync(waking);
            }

            using var entered = await _gate.EnterAsync();
            if (_isClosed || _session.Status is SessionStatus.Stopped or SessionStatus.Ended)
            {
                Discard(started);
                return failure ?? new WakeFailure("the session was ended meanwhile");
            }

            if (failure is not null)
            {
                if (!failure.IsForCapacity)
                {
                    await FailToWakeAsync(failure.Reason);
                }

                return failure;
            }

            if (started is not null || _sandbox is not null)
            {
                await BecomeActiveAsync(started);
                return null;
            }

            // The one that was there when we looked is gone: another is needed after all.
        }
    }

    private async Task<(SessionSandbox? Sandbox, WakeFailure? Failure)> TryStartAsync(Waking waking)
    {
        if (TakeClaimed() is { } claimed)
        {
            waking.MarkPlaced();
            return (claimed, null);
        }

        SandboxPlace place;
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(waking.GivingUp, _closing.Token);
            var taking = _services.Places.TakeAsync(either.Token);
            waking.MarkQueued();
            place = await taking;
            waking.MarkPlaced();
        }
        catch (OperationCanceledException) when (!_closing.IsCancellationRequested)
        {
            return (null, WakeFailure.NoCapacity);
        }

        SessionSandbox? started = null;
        try
        {
            await WaitForCopyAsync();

            // No two sandboxes of one session: the old one's cgroup is empty before the new one starts.
            await _closed.WaitAsync(BridgePatience, _services.Clock, _closing.Token);
            started = await _services.Starter.StartAsync(_session, place, _closing.Token);
            return (started, null);
        }
        catch (TimeoutException failure)
        {
            LogWakeFailed(failure, Id);
            return (null, new WakeFailure("the session's last sandbox is not gone yet"));
        }
        catch (SandboxException failure)
        {
            LogWakeFailed(failure, Id);
            return (null, new WakeFailure(failure.Message));
        }
        finally
        {
            if (started is null)
            {
                place.Dispose();
            }
        }
    }

    private async Task BecomeActiveAsync(SessionSandbox? started)
    {
        List<LogEntry> entries = [];
        if (started is not null)
        {
            entries.Add(Facts.SandboxStarted(started.Id, _session.Isolation));
        }

        if (_session.Status is SessionStatus.Paused or SessionStatus.Error or SessionStatus.Stopped)
        {
            entries.Add(started is null ? Facts.Woken("warm", null) : Facts.Woken("cold", "local"));
            Meter.Resumed(isWarm: started is null);
        }

        try
        {
            SandboxLogLine[] lines = started is null ? [] : [SandboxLog.FromServer($"Sandbox {started.Id} is up.")];
            await ChangeStatusAsync(SessionStatus.Active, entries, lines);
        }
        catch (StoreException)
        {
            Discard(started);
            throw;
        }

        Stop(_pauseTimer);
        if (started is null)
        {
            return;
        }

        AttachSandbox(started);
        if (started.Cli.IsRunning)
        {
            await TryStartCliAsync(started);
        }
        else if (!HasWork)
        {
            // It has its start behind it when the first message comes.
            RunBeside(() => StartCliAheadAsync(started));
        }
    }

    private async Task FailToWakeAsync(string failure)
    {
        await ChangeStatusAsync(SessionStatus.Error, [Facts.Error(null, "start_failed", failure)], SandboxLog.FromServer(failure));
        if (_current is { } running)
        {
            await CompleteAsync(running, TurnOutcome.Lost("start_failed", failure));
        }

        while (_waiting.TryPeek(out var waiting))
        {
            await CompleteAsync(waiting, TurnOutcome.Lost("start_failed", failure));
            _waiting.Dequeue();
        }
    }

    [LoggerMessage(LogLevel.Warning, "Session {SessionId} could not be woken")]
    private partial void LogWakeFailed(Exception failure, Guid sessionId);
}
