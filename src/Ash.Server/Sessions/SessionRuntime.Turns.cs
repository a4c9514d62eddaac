using Ash.Protocol.Api;
using Ash.Protocol.Bridge;
using Ash.Runner.Sandboxes;
using Ash.Server.Configuration;
using Ash.Server.Events;
using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>Turns: from a message to its end.</summary>
internal sealed partial class SessionRuntime
{
    private const int MaxAttempts = 3;
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ReadyPatience = TimeSpan.FromSeconds(60);
    private readonly ITimer _turnTimer;
    private readonly ITimer _stopTimer;
    private readonly ITimer _retryTimer;
    private readonly ITimer _readyTimer;
    private bool _isAwaitingReadiness;

    /// <summary>Takes a message. It is in the log, safe from power cuts, when this returns; its turn runs when its time comes.</summary>
    public async Task<SubmitMessage.Outcome> SubmitAsync(SubmitMessage message)
    {
        using var entered = await _gate.EnterAsync();
        if (message.IdempotencyKey is not null
            && await _services.Turns.FindRepeatAsync(_session.TenantId, Id, message, _closing.Token) is { } repeated)
        {
            return repeated;
        }

        // One that was ended leaves too, and that is not the server's end.
        if (_session.Status is SessionStatus.Stopped or SessionStatus.Ended)
        {
            return new SubmitMessage.Refused(Problems.SessionIs(_session.Status));
        }

        if (IsLeaving)
        {
            return new SubmitMessage.Refused(Problems.ShuttingDown);
        }

        var policy = IsQuiet ? BusyPolicy.Enqueue : message.OnBusy ?? AgentsPolicy;
        if (policy == BusyPolicy.Reject)
        {
            return new SubmitMessage.Refused(Problems.TurnRunning);
        }

        if (policy == BusyPolicy.Steer && IsSteerable)
        {
            return await SteerAsync(_current!, message); // Steerable: it runs.
        }

        if (_waiting.Count >= MaxWaitingTurns
            || (_waiting.Count > 0 && _waiting.Sum(static waiting => (long)waiting.Content.Length) + message.Content.Length > MaxWaitingBytes))
        {
            return new SubmitMessage.Refused(Problems.QueueFull);
        }

        var turn = new Turn(Guid.CreateVersion7(), message.Content, message.Model, message.Options, _services.Clock.GetUtcNow());
        var startsNow = IsQuiet && !_isHolding && IsReadyForTurn && IsFitFor(turn);
        var ahead = _waiting.Count + (_current is null ? 0 : 1);
        List<LogEntry> entries = [Facts.Message(turn.Id, turn.Content)];
        if (ahead > 0)
        {
            entries.Add(Facts.Queued(turn.Id, ahead));
        }
        else if (startsNow)
        {
            entries.Add(Facts.Started(turn.Id, ServerVersion.Text));
        }

        var rows = await _log.AppendAsync(entries, Durability.Power, idle: false, (transaction, rows) =>
        {
            transaction.InsertTurn(turn.Id, Id, rows[0].Seq, turn.Model, turn.Options?.ToJson(), turn.CreatedAt);
            transaction.TouchSession(Id, rows[0].At);
            if (startsNow)
            {
                transaction.StartTurn(turn.Id, rows[1].Seq);
            }

            if (message.IdempotencyKey is { } key)
            {
                TurnStore.Remember(transaction, _session.TenantId, Id.ToString(), key, message.BodyHash, turn.Id, rows[0].At);
            }
        });
        _session.LastActiveAt = rows[0].At;
        turn.Telemetry = Meter.Begin(turn);

        if (startsNow)
        {
            _current = turn;
            turn.IsStarted = true;
            HandOver(turn);
        }
        else
        {
            _waiting.Enqueue(turn);
            if (policy == BusyPolicy.Interrupt && _current is { } running)
            {
                await AskToStopAsync(running, TurnReason.Interrupted);
            }

            await PumpAsync();
        }

        return new SubmitMessage.Accepted(turn.Id, rows[0].Seq);
    }

    /// <summary>Asks the running turn to end. It ends with its own event, usually within milliseconds.</summary>
    public async Task<InterruptResult> InterruptAsync()
    {
        using var entered = await _gate.EnterAsync();
        if (_current is { } running)
        {
            await AskToStopAsync(running, TurnReason.Interrupted);
            return new InterruptResult(true, running.Id);
        }

        // Nothing runs yet: the first in the queue waits for its sandbox.
        if (_waiting.TryPeek(out var first))
        {
            await CompleteAsync(first, TurnOutcome.Stopped(TurnReason.Interrupted));
            _waiting.Dequeue();
            if (!HasWork)
            {
                _waking?.GiveUp();
            }

            return new InterruptResult(true, first.Id);
        }

        return new InterruptResult(false, null);
    }

    /// <summary>The broker asks before it lets a model call through: only the running turn of the current sandbox may call.</summary>
    public async ValueTask<Turn?> ModelCallAsync(SessionSandbox sandbox)
    {
        if (_sandbox != sandbox || _current is not { IsHandedOver: true } turn)
        {
            return null;
        }

        if (!turn.HasCalledModel)
        {
            // Before it is let through: a turn that has called the model is never started again.
            await _services.Writer.WriteAsync(Durability.Process, transaction => transaction.SetModelCalled(turn.Id, _services.Clock.GetUtcNow()));
            turn.HasCalledModel = true;
        }

        return turn;
    }

    private bool IsReadyForTurn =>
        !_isMeeting
        && _session.Status == SessionStatus.Active
        && _sandbox is { Cli: { IsRunning: true, IsClosing: false, IsIdle: true, Restoring: null, Forgotten.Count: 0 } };

    private BusyPolicy AgentsPolicy
    {
        get
        {
            try
            {
                return _services.Contents.Open(_session.ContentHash).Settings.OnBusy;
            }
            catch (SandboxException)
            {
                // Its files are gone: the start of its next process says so.
                return BusyPolicy.Enqueue;
            }
        }
    }

    /// <summary>The turn that a process is to be given next; null where there is none.</summary>
    private Turn? NextTurn => _current ?? (_waiting.TryPeek(out var next) ? next : null);

    /// <summary>Whether the process was started with what a turn needs.</summary>
    private bool IsFitFor(Turn? turn) => _sandbox is { Cli: var cli }
        && cli.Flags == FlagsFor(turn)
        && (turn?.Options?.MaxBudgetUsd is null || !cli.HasRunTurn);

    /// <summary>A turn waits to be handed to a process, the first or the next.</summary>
    private bool HasWork => _waiting.Count > 0 || _current is { IsHandedOver: false };

    /// <summary>Does the next thing that can be done for the queue: wake, start the CLI, start a turn. Under the gate.</summary>
    /// <remarks>What the store refuses is tried again after a while: the queue depends on no other event.</remarks>
    private async Task PumpAsync()
    {
        try
        {
            await PumpOnceAsync();
        }
        catch (Exception failure) when (StoreException.MayPass(failure))
        {
            LogTriedAgain(failure, Id);
            _retryTimer.Change(RetryDelay, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task PumpOnceAsync()
    {
        if (_isClosed || _isHolding || _isMeeting)
        {
            return;
        }

        if (_sandbox is { Cli: { IsRunning: true, IsClosing: false } })
        {
            await RestoreAsync(_sandbox);
        }

        if (!HasWork)
        {
            return;
        }

        if (_sandbox is null || _session.Status is SessionStatus.Paused or SessionStatus.Error)
        {
            _ = BeginWaking();
            return;
        }

        if (!_sandbox.Cli.IsRunning && !await TryStartCliAsync(_sandbox))
        {
            return;
        }

        if (!IsReadyForTurn)
        {
            AwaitReadiness();
            return;
        }

        if (!IsFitFor(NextTurn))
        {
            ReplaceCli(_sandbox);
            return;
        }

        if (_current is { } again)
        {
            HandOver(again);
            return;
        }

        var turn = _waiting.Peek();
        await _log.AppendAsync([Facts.Started(turn.Id, ServerVersion.Text)], Durability.Power, idle: false, (transaction, rows) =>
            transaction.StartTurn(turn.Id, rows[0].Seq));
        _waiting.Dequeue();
        _current = turn;
        turn.IsStarted = true;
        HandOver(turn);
    }

    private async Task PumpAgainAsync()
    {
        using var entered = await _gate.EnterAsync();
        await PumpAsync();
    }

    /// <summary>Gives a started turn to the CLI.</summary>
    private void HandOver(Turn turn)
    {
        HoldPoints.Reach(HoldPoint.AfterClaim);
        _isAwaitingReadiness = false;
        Stop(_readyTimer);
        turn.Attempts++;
        turn.IsHandedOver = true;
        turn.BeginAnew();
        ForgetOutput();
        var sandbox = _sandbox!; // Ready for a turn, so it is there.
        sandbox.SetPriority(isWaitedFor: true);
        sandbox.Cli.IsIdle = false;
        sandbox.Cli.HasRunTurn = true;
        turn.Telemetry?.HandedOver(sandbox.Id);
        _turnTimer.Change(_services.Settings.TurnTimeout, Timeout.InfiniteTimeSpan);

        WriteModel(sandbox, turn);
        if (sandbox.Cli.GoesOnWith != turn.Id || sandbox.Cli.HasAnswered)
        {
            WriteTurn(sandbox, turn);
        }

        if (turn.StopReason is not null)
        {
            InterruptCli(sandbox, turn);
        }
    }

    private void WriteModel(SessionSandbox sandbox, Turn turn)
    {
        var cli = sandbox.Cli;
        var model = turn.Model ?? _session.Model;
        if (model != cli.Model || !cli.IsModelKnown)
        {
            cli.SetModel(model);
            var line = ControlLines.SetModel($"model-{turn.Id}", model);
            sandbox.Post(new WriteLine($"{turn.Id}/model/{cli.Number}", line.Length), line);
        }
    }

    private static void WriteTurn(SessionSandbox sandbox, Turn turn)
    {
        var line = ControlLines.User(turn.Id, turn.Content);
        sandbox.Post(new WriteLine($"{turn.Id}/prompt/{sandbox.Cli.Number}", line.Length), line);
        foreach (var text in turn.Steers)
        {
            WriteSteer(sandbox, turn, text);
        }
    }

    private async Task AskToStopAsync(Turn turn, TurnReason reason)
    {
        var isFirst = turn.StopReason is null;
        turn.StopReason ??= reason;
        if (_sandbox is { Cli.IsRunning: true } sandbox && turn.IsHandedOver)
        {
            InterruptCli(sandbox, turn);
            if (isFirst)
            {
                _stopTimer.Change(StopPatience, Timeout.InfiniteTimeSpan);
            }
        }
        else
        {
            await CompleteAsync(turn, TurnOutcome.Stopped(turn.StopReason.Value));
            if (turn.IsStarted && _sandbox is { Cli: { IsRunning: true, GoesOnWith: null } cli })
            {
                // The process that is being told what it does not know has not been told this.
                cli.Forgotten.Enqueue(new ForgottenLine(turn.Id, ControlLines.User(turn.Id, turn.Content, shouldQuery: false), HasResult: true));
            }

            await PumpAsync();
        }
    }

    /// <summary>Not kept for another server: an interrupt that was lost is asked for again.</summary>
    private static void InterruptCli(SessionSandbox sandbox, Turn turn)
    {
        var id = Guid.CreateVersion7();
        var line = ControlLines.Interrupt($"interrupt-{id}");
        sandbox.Post(new WriteLine($"{turn.Id}/interrupt/{id}", line.Length), line);
    }

    /// <summary>Ends a turn that the CLI did not end: one that never ran, or whose process is gone.</summary>
    private async Task CompleteAsync(
        Turn turn, TurnOutcome outcome, IReadOnlyList<LogEntry>? before = null, IReadOnlyList<SandboxLogLine>? lines = null)
    {
        var idle = _waiting.All(waiting => waiting == turn) && (_current is null || _current == turn);
        await _log.AppendAsync([.. before ?? [], Facts.Completed(turn.Id, outcome)], Durability.Power, idle, (transaction, rows) =>
        {
            RecordEnd(transaction, turn, outcome, rows[^1]);
            SandboxLog.Append(transaction, Id, lines ?? [], rows[^1].At);
        });
        Forget(turn, outcome);
    }

    private void RecordEnd(StoreTransaction transaction, Turn turn, TurnOutcome outcome, in EventRow row)
    {
        transaction.CompleteTurn(new TurnRecord
        {
            Id = turn.Id,
            CompletedSeq = row.Seq,
            Reason = outcome.ReasonName,
            Code = outcome.Code,
            Retryable = outcome.Retryable,
            Result = outcome.Result ?? outcome.Error,
            Usage = outcome.Usage,
            EndedAt = row.At,
        });
        transaction.TouchSession(Id, row.At);
        _session.LastActiveAt = row.At;
    }

    private void Forget(Turn turn, TurnOutcome outcome)
    {
        if (_current == turn)
        {
            _current = null;
            ForgetOutput();
            Stop(_turnTimer);
            Stop(_stopTimer);
        }

        turn.Telemetry?.Ended(outcome);
        turn.MarkEnded();
        _services.Places.NoteChange();
    }

    private async Task StopOverdueTurnAsync()
    {
        using var entered = await _gate.EnterAsync();
        if (_current is { } turn && !_isClosed)
        {
            await AskToStopAsync(turn, TurnReason.Timeout);
        }
    }

    /// <summary>An interrupt that was not heeded in time: the process goes, and the turn with it.</summary>
    private async Task KillStubbornTurnAsync()
    {
        using var entered = await _gate.EnterAsync();
        if (_current is { StopReason: not null, IsHandedOver: true } && _sandbox is { Cli.IsRunning: true } sandbox && !_isClosed)
        {
            KillCli(sandbox);
        }
    }

    private void AwaitReadiness()
    {
        if (!_isAwaitingReadiness)
        {
            _isAwaitingReadiness = true;
            _readyTimer.Change(ReadyPatience, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>A process that neither works nor says that it is ready, while a turn waits for it, is no use.</summary>
    private async Task KillStuckCliAsync()
    {
        using var entered = await _gate.EnterAsync();
        _isAwaitingReadiness = false;
        if (_isClosed || _isHolding || !HasWork || _current is { IsHandedOver: true })
        {
            return;
        }

        if (_sandbox is { Cli.IsRunning: true } sandbox && !IsReadyForTurn)
        {
            LogStuck(Id, sandbox.Id);
            KillCli(sandbox);
        }

        await PumpAsync();
    }

    [LoggerMessage(LogLevel.Warning, "The CLI of session {SessionId} in sandbox {SandboxId} does not become ready; it is killed")]
    private partial void LogStuck(Guid sessionId, string sandboxId);
}
