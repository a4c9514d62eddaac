using Ash.Protocol.Api;
using Ash.Protocol.Bridge;
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
    private readonly ITimer _turnTimer;
    private readonly ITimer _stopTimer;

    /// <summary>Takes a message. It is in the log, safe from power cuts, when this returns; its turn runs when its time comes.</summary>
    public async Task<SubmitMessage.Outcome> SubmitAsync(SubmitMessage message)
    {
        using var entered = await _gate.EnterAsync();
        if (message.IdempotencyKey is not null
            && await _services.Turns.FindRepeatAsync(_session.TenantId, Id, message, _closing.Token) is { } repeated)
        {
            return repeated;
        }

        if (_isClosed || _isDraining)
        {
            return new SubmitMessage.Refused(Problems.ShuttingDown);
        }

        if (_session.Status is SessionStatus.Stopped or SessionStatus.Ended)
        {
            return new SubmitMessage.Refused(Problems.SessionIs(_session.Status));
        }

        if (_waiting.Count >= MaxWaitingTurns)
        {
            return new SubmitMessage.Refused(Problems.QueueFull);
        }

        var turn = new Turn(Guid.CreateVersion7(), message.Content, message.Model, _services.Clock.GetUtcNow());
        var startsNow = _current is null && _waiting.Count == 0 && IsReadyForTurn;
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
            transaction.InsertTurn(turn.Id, Id, rows[0].Seq, turn.Model, turn.CreatedAt);
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

        if (startsNow)
        {
            _current = turn;
            turn.IsStarted = true;
            await HandOverAsync(turn);
        }
        else
        {
            _waiting.Enqueue(turn);
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
        if (_waiting.TryDequeue(out var first))
        {
            await CompleteAsync(first, TurnOutcome.Stopped(TurnReason.Interrupted));
            return new InterruptResult(true, first.Id);
        }

        return new InterruptResult(false, null);
    }

    /// <summary>The broker asks before it lets a model call through: only the running turn of the current sandbox may call.</summary>
    public async ValueTask<Guid?> ModelCallAsync(SessionSandbox sandbox)
    {
        if (_sandbox != sandbox || _current is not { } turn)
        {
            return null;
        }

        if (!turn.HasCalledModel)
        {
            turn.HasCalledModel = true;
            await _services.Writer.WriteAsync(Durability.Process, transaction => transaction.SetModelCalled(turn.Id, _services.Clock.GetUtcNow()));
        }

        return turn.Id;
    }

    private bool IsReadyForTurn =>
        _session.Status == SessionStatus.Active
        && _sandbox is { Connected.IsCompletedSuccessfully: true, Cli: { IsRunning: true, IsIdle: true, Restoring: null, Forgotten.Count: 0 } };

    /// <summary>Does the next thing that can be done for the queue: wake, start the CLI, start a turn. Under the gate.</summary>
    private async Task PumpAsync()
    {
        if (_isClosed || _isHolding || (_waiting.Count == 0 && _current is not { IsHandedOver: false }))
        {
            return;
        }

        if (_sandbox is null || _session.Status is SessionStatus.Paused or SessionStatus.Error)
        {
            _ = BeginWaking();
            return;
        }

        if (!_sandbox.Cli.IsRunning)
        {
            await StartCliAsync(_sandbox);
        }

        if (!IsReadyForTurn)
        {
            return;
        }

        if (_current is { } again)
        {
            await HandOverAsync(again);
        }
        else
        {
            var turn = _waiting.Dequeue();
            await _log.AppendAsync([Facts.Started(turn.Id, ServerVersion.Text)], Durability.Process, idle: false, (transaction, rows) =>
                transaction.StartTurn(turn.Id, rows[0].Seq));
            _current = turn;
            turn.IsStarted = true;
            await HandOverAsync(turn);
        }
    }

    /// <summary>Gives a started turn to the CLI.</summary>
    private async Task HandOverAsync(Turn turn)
    {
        HoldPoints.Reach(HoldPoint.AfterClaim);
        turn.Attempts++;
        turn.IsHandedOver = true;
        var cli = _sandbox!.Cli;
        cli.IsIdle = false;
        _turnTimer.Change(_services.Settings.TurnTimeout, Timeout.InfiniteTimeSpan);

        var model = turn.Model ?? _session.Model;
        if (model != cli.Model)
        {
            cli.Model = model;
            var line = ControlLines.SetModel($"model-{turn.Id}", model);
            await _sandbox.PostAsync(new WriteLine($"{turn.Id}/model/{cli.Number}", line.Length), line);
        }

        await WriteTurnAsync(_sandbox, turn);
        if (turn.StopReason is not null)
        {
            await InterruptCliAsync(_sandbox, turn);
        }
    }

    private static Task WriteTurnAsync(SessionSandbox sandbox, Turn turn)
    {
        var line = ControlLines.User(turn.Id, turn.Content);
        return sandbox.PostAsync(new WriteLine($"{turn.Id}/prompt/{sandbox.Cli.Number}", line.Length), line);
    }

    /// <summary>After a restart: the bridge executes the command once, so that this writes the prompt only if it was not written.</summary>
    private async Task ResendAsync(SessionSandbox sandbox, Turn turn)
    {
        _turnTimer.Change(_services.Settings.TurnTimeout, Timeout.InfiniteTimeSpan);
        if (sandbox.Cli.IsRunning)
        {
            await WriteTurnAsync(sandbox, turn);
        }
        else
        {
            turn.IsHandedOver = false;
        }
    }

    private async Task AskToStopAsync(Turn turn, TurnReason reason)
    {
        turn.StopReason ??= reason;
        if (_sandbox is { Cli.IsRunning: true } sandbox && turn.IsHandedOver)
        {
            await InterruptCliAsync(sandbox, turn);
            _stopTimer.Change(StopPatience, Timeout.InfiniteTimeSpan);
        }
        else
        {
            await CompleteAsync(turn, TurnOutcome.Stopped(turn.StopReason.Value));
            await PumpAsync();
        }
    }

    private static Task InterruptCliAsync(SessionSandbox sandbox, Turn turn)
    {
        var line = ControlLines.Interrupt($"interrupt-{turn.Id}");
        return sandbox.PostAsync(new WriteLine($"{turn.Id}/interrupt/{sandbox.Cli.Number}", line.Length), line);
    }

    /// <summary>Ends a turn that the CLI did not end: one that never ran, or whose process is gone.</summary>
    private async Task CompleteAsync(Turn turn, TurnOutcome outcome, params LogEntry[] before)
    {
        var idle = _waiting.Count == 0 && (_current is null || _current == turn);
        await _log.AppendAsync([.. before, Facts.Completed(turn.Id, outcome)], Durability.Power, idle, (transaction, rows) =>
            RecordEnd(transaction, turn, outcome, rows[^1]));
        Forget(turn);
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

    private void Forget(Turn turn)
    {
        if (_current == turn)
        {
            _current = null;
            _turnTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _stopTimer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        turn.MarkEnded();
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
        if (_current is { StopReason: not null } turn && _sandbox is { Cli.IsRunning: true } sandbox)
        {
            await sandbox.PostAsync(new KillCli($"{turn.Id}/kill/{sandbox.Cli.Number}"));
        }
    }
}
