using Ash.Protocol.Bridge;
using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Sessions;

/// <summary>Messages that join the running turn.</summary>
/// <remarks>
/// While a tool runs, the CLI adds the text to what the model is told next; while the model speaks, the text is answered after
/// it, with a result of its own. Either way it is the same turn here: it ends once every text has its result.
/// </remarks>
internal sealed partial class SessionRuntime
{
    private bool IsSteerable =>
        !_isMeeting
        && !_isHolding
        && _current is { IsHandedOver: true, StopReason: null }
        && _sandbox is { Cli: { IsRunning: true, IsClosing: false, Restoring: null } };

    private async Task<SubmitMessage.Outcome> SteerAsync(Turn turn, SubmitMessage message)
    {
        var sandbox = _sandbox!; // Steerable: it is there.
        if ((message.Model is { } model && model != (turn.Model ?? _session.Model)) || !FitsProcess(sandbox.Cli, message.Options))
        {
            return new SubmitMessage.Refused(Problems.CannotSteer);
        }

        if (turn.Unanswered > MaxWaitingTurns || turn.Steers.Sum(static text => (long)text.Content.Length) + message.Content.Length > MaxWaitingBytes)
        {
            return new SubmitMessage.Refused(Problems.QueueFull);
        }

        var text = new SteeredText(Guid.CreateVersion7(), message.Content);
        var rows = await _log.AppendAsync([Facts.Steered(turn.Id, text)], Durability.Power, idle: false, (transaction, rows) =>
        {
            transaction.TouchSession(Id, rows[0].At);
            if (message.IdempotencyKey is { } key)
            {
                TurnStore.Remember(transaction, _session.TenantId, Id.ToString(), key, message.BodyHash, turn.Id, rows[0].At);
            }
        });
        _session.LastActiveAt = rows[0].At;
        turn.Steer(text);
        WriteSteer(sandbox, turn, text);
        return new SubmitMessage.Accepted(turn.Id, rows[0].Seq);
    }

    private bool FitsProcess(CliProcess cli, TurnOptions? options) =>
        options?.Flags().Any() != true || (options.MaxBudgetUsd is null && CliProcess.TextOf(CliCommand.Flags(_session, options)) == cli.Flags);

    private static void WriteSteer(SessionSandbox sandbox, Turn turn, SteeredText text)
    {
        var line = ControlLines.User(text.Id, text.Content);
        sandbox.Post(new WriteLine($"{turn.Id}/steer/{text.Id}/{sandbox.Cli.Number}", line.Length), line);
    }
}
