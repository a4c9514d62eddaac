using System.Numerics;
using Ash.Protocol.Bridge;
using Ash.Server.Events;
using Ash.Server.Storage;
using BridgeLine = Ash.Protocol.Bridge.CliLine;
using CliLine = Ash.Server.Events.CliLine;

namespace Ash.Server.Sessions;

/// <summary>What comes out of the sandbox. It is an attacker's input: checked here, typed from here on.</summary>
internal sealed partial class SessionRuntime
{
    private const int MaxUnanswered = 1000;
    private const long MaxIdleOutputBytes = 16 * 1024 * 1024;

    private const string OutputLimit = "output_limit";

    /// <summary>What a row costs besides its payload.</summary>
    private const int RowBytes = 100;

    private long _saidBytes;
    private int _malformedLines;
    private bool _isFlooding;

    async Task ISandboxListener.OnBatchAsync(SessionSandbox sandbox, IReadOnlyList<BridgeItem> batch, long lastFrame)
    {
        using var entered = await _gate.EnterAsync();
        if (_isClosed || sandbox != _sandbox)
        {
            return;
        }

        var reading = new BatchReading();
        foreach (var (header, payload) in batch)
        {
            switch (header)
            {
                case BridgeLine line when line.Process == sandbox.Cli.Number:
                    ReadLine(sandbox, payload!, reading);
                    break;
                case CliErrorLine error when error.Process == sandbox.Cli.Number:
                    ReadError(sandbox, payload!, reading);
                    break;
                case CliLineRefused refused:
                    reading.Entries.Add(Facts.Error(_current?.Id, "line_too_long", $"A line of {refused.Length} bytes was thrown away."));
                    break;
                case CliExited exited when exited.Process == sandbox.Cli.Number:
                    ReadExit(sandbox, exited, reading);
                    break;
                case CommandDone { Ok: false } refused when refused.Id == sandbox.Cli.StartId && sandbox.Cli.IsRunning:
                    reading.HasFailedToStart = true;
                    LogStartRefused(Id, sandbox.Id, refused.Error);
                    break;
            }
        }

        if (reading is { IsIdle: true, Ended: null } && _current is { IsHandedOver: true, IsSettledByCli: true } unanswered)
        {
            reading.End(unanswered, unanswered.Interim ?? TurnOutcome.Unanswered(unanswered));
        }

        await StoreAsync(sandbox, reading, lastFrame);
        if (reading.HasFailedToStart)
        {
            await LoseSandboxAsync("start_failed");
            await PumpAsync();
        }
        else if (reading.Ended is not null || reading.IsIdle || reading.HasExited || reading.HasRestored)
        {
            await GoOnAsync(sandbox, reading);
        }

        if (_isMeeting && _sandbox == sandbox)
        {
            await SettleAsync(sandbox);
        }
    }

    private void ReadLine(SessionSandbox sandbox, byte[] line, BatchReading reading)
    {
        if (!CliLine.TryInspect(line, out var info))
        {
            if (BitOperations.IsPow2(++_malformedLines))
            {
                reading.Entries.Add(Facts.Error(_current?.Id, "line_malformed", $"Lines that are not one JSON object are thrown away: {_malformedLines} so far."));
            }

            return;
        }

        var cli = sandbox.Cli;
        switch (info.Kind)
        {
            case CliLineKind.SessionStateChanged:
                reading.IsIdle = info.State == "idle";
                return;
            case CliLineKind.ControlRequest:
                Answer(sandbox, info);
                return;
            case CliLineKind.ControlResponse:
                ReadFirstAnswer(sandbox);
                return;
            case CliLineKind.CommandLifecycle:
                ReadLifecycle(sandbox, info);
                return;
            case CliLineKind.Init when _current is { StopReason: not null, IsHandedOver: true } stopping && cli.Restoring is null:
                InterruptCli(sandbox, stopping);
                break;
            case CliLineKind.Assistant when _current is { } turn && info.Error is not null:
                turn.ModelError = info.Error;
                break;
            case CliLineKind.ConversationReset when Guid.TryParse(info.NewConversationId, out var conversation):
                reading.NewConversation = conversation;
                break;
        }

        if (cli.Restoring is { } restored)
        {
            // The empty turn in which the CLI takes a text that it forgot: no turn of anybody's.
            if (info.Kind == CliLineKind.Result && info.UserMessageUuids.Contains(restored))
            {
                reading.HasRestored = true;
            }

            return;
        }

        if (!info.IsStored || (info.Kind == CliLineKind.Result && !cli.HasAnswered))
        {
            // A result before any answer tells of a start that failed; the exit that follows is what counts.
            return;
        }

        var running = reading.Ended is null ? _current : null;
        if (IsTooMuch(sandbox, line.Length, running))
        {
            return;
        }

        running?.Telemetry?.Saw(info, line);
        reading.Entries.Add(new LogEntry(EventType.Cli, running?.Id, line, info.IsPartial));
        if (info.Kind == CliLineKind.Result && running is { IsHandedOver: true } && running.TakeResult(info.UserMessageUuids))
        {
            ReadResult(sandbox, running, info, line, reading);
        }
    }

    private void ReadError(SessionSandbox sandbox, byte[] line, BatchReading reading)
    {
        if (!IsTooMuch(sandbox, line.Length, _current))
        {
            reading.Log.Add(SandboxLog.FromError(line));
        }
    }

    /// <summary>Ends the turn, unless something that was said to it has no result yet: that one's is still to come.</summary>
    private static void ReadResult(SessionSandbox sandbox, Turn turn, in CliLineInfo info, ReadOnlySpan<byte> line, BatchReading reading)
    {
        var outcome = TurnOutcome.FromResult(turn, info, line);
        if (turn.Unanswered > 0 || info.QueuedTurnCount > 0)
        {
            turn.Interim = outcome;
            return;
        }

        MeetMemoryLimit(sandbox, turn.Id, reading);
        reading.End(turn, outcome);
    }

    /// <summary>One session may not fill the store that all share: beyond the limit its CLI is killed, and what it still says is dropped.</summary>
    private bool IsTooMuch(SessionSandbox sandbox, int bytes, Turn? turn)
    {
        var limit = turn is null ? Math.Min(MaxIdleOutputBytes, _services.Settings.TurnOutputBytes) : _services.Settings.TurnOutputBytes;
        _saidBytes += bytes + RowBytes;
        if (_saidBytes <= limit)
        {
            return false;
        }

        if (!_isFlooding)
        {
            _isFlooding = true;
            sandbox.Cli.IsClosing = turn is null;
            LogFlood(Id, sandbox.Id, limit);
            KillCli(sandbox);
        }

        return true;
    }

    /// <summary>What is said from now on counts anew.</summary>
    private void ForgetOutput()
    {
        _saidBytes = 0;
        _malformedLines = 0;
        _isFlooding = false;
    }

    private void ReadFirstAnswer(SessionSandbox sandbox)
    {
        var cli = sandbox.Cli;
        if (!cli.HasAnswered && _current is { IsHandedOver: true } turn && cli.GoesOnWith == turn.Id)
        {
            // It has taken the turn up by itself, and takes no text twice. If it has not, this makes it say so.
            WriteTurn(sandbox, turn);
        }

        cli.Answered.TrySetResult();
    }

    private void ReadLifecycle(SessionSandbox sandbox, in CliLineInfo info)
    {
        if (_current is not { IsHandedOver: true } turn || sandbox.Cli.Restoring is not null)
        {
            return;
        }

        if (info.State == "started" && turn.StopReason is not null)
        {
            // An interrupt that came before the turn began had nothing to stop.
            InterruptCli(sandbox, turn);
        }

        if (info.State is "completed" or "cancelled" or "discarded" or "refused")
        {
            turn.Settle(info.CommandUuid);
        }
    }

    /// <summary>The kernel has killed something inside: a tool perhaps, and the turn goes on.</summary>
    private static bool MeetMemoryLimit(SessionSandbox sandbox, Guid? turn, BatchReading reading)
    {
        var kills = sandbox.OutOfMemoryKills;
        if (kills <= sandbox.Cli.OutOfMemoryKills)
        {
            return false;
        }

        reading.OutOfMemoryKills = kills;
        reading.Entries.Add(Facts.Resource(turn, "memory"));
        return true;
    }

    private void ReadExit(SessionSandbox sandbox, CliExited exited, BatchReading reading)
    {
        reading.HasExited = true;
        LogCliExited(Id, sandbox.Id, exited.Code, exited.Signal);
        reading.Log.Add(SandboxLog.FromServer(exited.Signal is { } signal
            ? $"The agent's process was ended by signal {signal}."
            : $"The agent's process ended with exit code {exited.Code}."));
        var turn = reading.Ended is null && _current is { IsHandedOver: true } running ? running : null;
        if (sandbox.Cli.IsClosing && turn is null)
        {
            return;
        }

        reading.CouldNotResume = exited.Code is not null && sandbox.Cli is { Resumes: true, HasAnswered: false };
        var cause = _isFlooding ? OutputLimit
            : MeetMemoryLimit(sandbox, turn?.Id, reading) && exited.Signal is not null ? "oom"
            : "cli_exited";
        reading.Loss = cause;
        reading.Entries.Add(Facts.SandboxLost(turn?.Id, cause, exited.Code, exited.Signal));
        if (turn is not null && OutcomeOfLoss(turn, cause, "The agent's process ended in mid-turn.") is { } outcome)
        {
            reading.End(turn, outcome);
        }
        else
        {
            reading.Undone = turn;
        }
    }

    /// <summary>Null where the turn is to be started again: it never called the model, so nothing can have happened twice.</summary>
    private static TurnOutcome? OutcomeOfLoss(Turn turn, string cause, string error) =>
        turn.StopReason is { } stopped ? TurnOutcome.Stopped(stopped)
        : !turn.HasCalledModel && turn.Attempts < MaxAttempts && cause != OutputLimit ? null
        : TurnOutcome.Lost(cause, error);

    private async Task StoreAsync(SessionSandbox sandbox, BatchReading reading, long lastFrame)
    {
        var durability = reading.Ended is null ? Durability.Process : Durability.Power;
        var idle = _waiting.Count == 0 && (_current is null || _current == reading.Ended);
        await _log.AppendAsync(reading.Entries, durability, idle, (transaction, rows) =>
        {
            transaction.SetLastFrame(sandbox.Id, lastFrame);
            SandboxLog.Append(transaction, Id, reading.Log, _services.Clock.GetUtcNow());
            if (reading.NewConversation is { } conversation)
            {
                transaction.SetConversation(Id, conversation, _current?.Id);
            }

            if (reading.Ended is { } turn)
            {
                RecordEnd(transaction, turn, reading.Outcome!, rows[reading.EndedAt]);
            }
        });
        if (reading.NewConversation is { } cleared)
        {
            _session.CliSessionId = cleared;
            _session.ClearedAtTurn = _current?.Id;
        }

        sandbox.MarkStored(lastFrame);
    }

    private async Task GoOnAsync(SessionSandbox sandbox, BatchReading reading)
    {
        if (reading.Ended is { } turn)
        {
            Forget(turn, reading.Outcome!); // It ended with one.
            _lossesInARow = 0;
        }

        var cli = sandbox.Cli;
        cli.OutOfMemoryKills = reading.OutOfMemoryKills ?? cli.OutOfMemoryKills;
        if (reading.HasRestored)
        {
            cli.Restoring = null;
        }

        if (reading.IsIdle && cli is { IsRunning: true, Restoring: null } && _current is not { IsHandedOver: true })
        {
            cli.IsIdle = true;
            LogCliWaits(Id);
        }

        if (reading.HasExited)
        {
            await TakeCliExitAsync(cli, reading);
        }

        await PumpAsync();
    }

    private async Task TakeCliExitAsync(CliProcess cli, BatchReading reading)
    {
        _mustBeginAnew |= reading.CouldNotResume;
        cli.MarkExited();
        reading.Undone?.IsHandedOver = false;
        if (reading is { Loss: { } cause, Ended: null, Undone: null })
        {
            await CountLossAsync(cause);
        }
    }

    /// <summary>Answers what the CLI asks. Approvals do not exist yet, so a permission question is denied, and says so.</summary>
    private void Answer(SessionSandbox sandbox, in CliLineInfo info)
    {
        if (info.RequestId is not { } request || sandbox.Cli.IsClosing)
        {
            return;
        }

        if (sandbox.Unanswered >= MaxUnanswered)
        {
            // It asks and does not read what it is told: a forger, or stopped.
            LogDeaf(Id, sandbox.Id);
            sandbox.Cli.IsClosing = true;
            KillCli(sandbox);
            return;
        }

        var line = info.Subtype == "can_use_tool"
            ? ControlLines.Deny(request, $"The tool {info.ToolName} needs an approval, and nobody can be asked. Allow it in the agent's settings.")
            : ControlLines.Unsupported(request);
        sandbox.Post(new WriteLine($"answer/{sandbox.Cli.Number}/{request}", line.Length), line);
    }

    /// <summary>What one batch of frames comes to.</summary>
    private sealed class BatchReading
    {
        public List<LogEntry> Entries { get; } = [];

        public List<SandboxLogLine> Log { get; } = [];

        public Turn? Ended { get; private set; }

        public TurnOutcome? Outcome { get; private set; }

        /// <summary>Index of the entry that ends the turn.</summary>
        public int EndedAt { get; private set; }

        public bool IsIdle { get; set; }

        public bool HasRestored { get; set; }

        public bool HasExited { get; set; }

        public bool HasFailedToStart { get; set; }

        /// <summary>Why the CLI is gone, where that is a loss.</summary>
        public string? Loss { get; set; }

        /// <summary>The turn that is to be started again.</summary>
        public Turn? Undone { get; set; }

        /// <summary>The CLI ended by itself before it said anything: it cannot read its transcript.</summary>
        public bool CouldNotResume { get; set; }

        public long? OutOfMemoryKills { get; set; }

        public Guid? NewConversation { get; set; }

        public void End(Turn turn, TurnOutcome outcome)
        {
            Ended = turn;
            Outcome = outcome;
            EndedAt = Entries.Count;
            Entries.Add(Facts.Completed(turn.Id, outcome));
        }
    }

    [LoggerMessage(LogLevel.Information, "The CLI of session {SessionId} in sandbox {SandboxId} exited with code {Code}, signal {Signal}")]
    private partial void LogCliExited(Guid sessionId, string sandboxId, int? code, int? signal);

    [LoggerMessage(LogLevel.Warning, "The CLI of session {SessionId} in sandbox {SandboxId} asks and does not read; it is killed")]
    private partial void LogDeaf(Guid sessionId, string sandboxId);

    [LoggerMessage(LogLevel.Warning, "The CLI of session {SessionId} in sandbox {SandboxId} said more than {Limit} bytes; it is killed")]
    private partial void LogFlood(Guid sessionId, string sandboxId, long limit);

    [LoggerMessage(LogLevel.Debug, "The CLI of session {SessionId} waits for a message")]
    private partial void LogCliWaits(Guid sessionId);

    [LoggerMessage(LogLevel.Warning, "The CLI of session {SessionId} could not be started in sandbox {SandboxId}: {Reason}")]
    private partial void LogStartRefused(Guid sessionId, string sandboxId, string? reason);
}
