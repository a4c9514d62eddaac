using Ash.Protocol.Bridge;
using Ash.Server.Events;
using Ash.Server.Storage;
using BridgeLine = Ash.Protocol.Bridge.CliLine;
using CliLine = Ash.Server.Events.CliLine;

namespace Ash.Server.Sessions;

/// <summary>What comes out of the sandbox. It is an attacker's input: checked here, typed from here on.</summary>
internal sealed partial class SessionRuntime
{
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
                    await ReadLineAsync(sandbox, payload!, reading);
                    break;
                case CliErrorLine error when error.Process == sandbox.Cli.Number:
                    sandbox.Cli.LastErrorLine = System.Text.Encoding.UTF8.GetString(payload!);
                    LogCliErrorSensitive(Id, sandbox.Cli.LastErrorLine);
                    break;
                case CliLineRefused refused:
                    reading.Entries.Add(Facts.Error(_current?.Id, "line_too_long", $"A line of {refused.Length} bytes was thrown away."));
                    break;
                case CliExited exited when exited.Process == sandbox.Cli.Number:
                    ReadExit(sandbox, exited, reading);
                    break;
            }
        }

        await StoreAsync(sandbox, reading, lastFrame);
        if (reading.Ended is not null || reading.IsIdle || reading.HasExited)
        {
            await GoOnAsync(sandbox, reading);
        }
    }

    private async Task ReadLineAsync(SessionSandbox sandbox, byte[] line, BatchReading reading)
    {
        if (!CliLine.TryInspect(line, out var info))
        {
            reading.Entries.Add(Facts.Error(_current?.Id, "line_malformed", "A line that is not one JSON object was thrown away."));
            return;
        }

        switch (info.Kind)
        {
            case CliLineKind.SessionStateChanged:
                reading.IsIdle = info.State == "idle";
                return;
            case CliLineKind.ControlRequest:
                await AnswerAsync(sandbox, info);
                return;
            case CliLineKind.Assistant when _current is { } turn && info.Error is not null:
                turn.ModelError = info.Error;
                break;
            case CliLineKind.ConversationReset when Guid.TryParse(info.NewConversationId, out var conversation):
                reading.NewConversation = conversation;
                break;
        }

        if (sandbox.Cli.Restoring is { } restored)
        {
            // The empty turn in which the CLI takes a text that it forgot: no turn of anybody's.
            if (info.Kind == CliLineKind.Result && (info.UserMessageUuids.Count == 0 || info.UserMessageUuids.Contains(restored)))
            {
                reading.HasRestored = true;
            }

            return;
        }

        if (!info.IsStored)
        {
            return;
        }

        var running = reading.Ended is null ? _current : null;
        reading.Entries.Add(new LogEntry(EventType.Cli, running?.Id, line, info.IsPartial));
        if (info.Kind == CliLineKind.Result && running is { IsHandedOver: true } && Answers(info, running))
        {
            reading.End(running, TurnOutcome.FromResult(running, info, line));
        }
    }

    private static bool Answers(in CliLineInfo info, Turn turn) =>
        info.QueuedTurnCount is null or 0 && (info.UserMessageUuids.Count == 0 || info.UserMessageUuids.Contains(turn.Id));

    private void ReadExit(SessionSandbox sandbox, CliExited exited, BatchReading reading)
    {
        reading.HasExited = true;
        sandbox.Cli.MarkExited();
        LogCliExited(Id, sandbox.Id, exited.Code, exited.Signal);
        if (reading.Ended is not null || _current is not { IsHandedOver: true } turn)
        {
            return;
        }

        reading.Entries.Add(Facts.SandboxLost(turn.Id, "cli_exited", exited.Code, exited.Signal));
        if (OutcomeOfLoss(turn, "cli_exited", "The agent's process ended in mid-turn.") is { } outcome)
        {
            reading.End(turn, outcome);
        }
    }

    /// <summary>Null where the turn is to be started again: it never called the model, so nothing can have happened twice.</summary>
    private static TurnOutcome? OutcomeOfLoss(Turn turn, string cause, string error)
    {
        if (turn.StopReason is { } stopped)
        {
            return TurnOutcome.Stopped(stopped);
        }

        if (!turn.HasCalledModel && turn.Attempts < MaxAttempts)
        {
            turn.IsHandedOver = false;
            return null;
        }

        return TurnOutcome.Lost(cause, error);
    }

    private async Task StoreAsync(SessionSandbox sandbox, BatchReading reading, long lastFrame)
    {
        var durability = reading.Ended is null ? Durability.Process : Durability.Power;
        var idle = _waiting.Count == 0 && (_current is null || _current == reading.Ended);
        await _log.AppendAsync(reading.Entries, durability, idle, (transaction, rows) =>
        {
            transaction.SetLastFrame(sandbox.Id, lastFrame);
            if (reading.NewConversation is { } conversation)
            {
                transaction.SetConversation(Id, conversation, _current?.Id);
            }

            if (reading.Ended is { } turn)
            {
                RecordEnd(transaction, turn, reading.Outcome!, rows[reading.EndedAt]);
            }
        });
    }

    private async Task GoOnAsync(SessionSandbox sandbox, BatchReading reading)
    {
        if (reading.NewConversation is { } conversation)
        {
            _session.CliSessionId = conversation;
            _session.ClearedAtTurn = _current?.Id;
        }

        if (reading.Ended is { } turn)
        {
            Forget(turn);
        }

        var cli = sandbox.Cli;
        if (reading.HasRestored)
        {
            cli.Restoring = null;
        }

        if (reading.IsIdle && cli is { IsRunning: true, Restoring: null } && _current is not { IsHandedOver: true })
        {
            cli.IsIdle = true;
            if (cli.Forgotten.Count > 0)
            {
                await RestoreNextAsync(sandbox);
            }
        }

        await PumpAsync();
    }

    /// <summary>Answers what the CLI asks. Approvals do not exist yet, so a permission question is denied, and says so.</summary>
    private static async Task AnswerAsync(SessionSandbox sandbox, CliLineInfo info)
    {
        if (info.RequestId is not { } request)
        {
            return;
        }

        var line = info.Subtype == "can_use_tool"
            ? ControlLines.Deny(request, $"The tool {info.ToolName} needs an approval, and nobody can be asked. Allow it in the agent's settings.")
            : ControlLines.Unsupported(request);
        await sandbox.PostAsync(new WriteLine($"answer/{sandbox.Cli.Number}/{request}", line.Length), line);
    }

    /// <summary>What one batch of frames comes to.</summary>
    private sealed class BatchReading
    {
        public List<LogEntry> Entries { get; } = [];

        public Turn? Ended { get; private set; }

        public TurnOutcome? Outcome { get; private set; }

        /// <summary>Index of the entry that ends the turn.</summary>
        public int EndedAt { get; private set; }

        public bool IsIdle { get; set; }

        public bool HasRestored { get; set; }

        public bool HasExited { get; set; }

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

    [LoggerMessage(LogLevel.Trace, "The CLI of session {SessionId} wrote to its standard error: {Line}")]
    private partial void LogCliErrorSensitive(Guid sessionId, string line);
}
