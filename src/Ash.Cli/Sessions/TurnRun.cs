using Ash.Cli.Output;
using Ash.Client;
using Ash.Client.Events;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary>Sends a message and shows its turn.</summary>
internal sealed class TurnRun(CommandContext context, Guid session, ITurnWriter writer)
{
    private static readonly TimeSpan InterruptTime = TimeSpan.FromSeconds(5);

    /// <summary>Shows the turn to its end, across breaks of the connection.</summary>
    public async Task<TurnOutcome> SendAsync(SendMessageRequest message, CancellationToken cancellationToken)
    {
        var outcome = new TurnOutcome();

        try
        {
            using var waiting = context.Output.Wait("Waiting for the answer");

            await foreach (var read in context.Client.Sessions
                .SendMessageAsync(session, message, sending: null, cancellationToken))
            {
                writer.Write(read);
                outcome.See(read);

                if (read.Body is ToolUse tool)
                {
                    context.Output.Wait($"  {TerminalText.Line(tool.Name, 40)} works");
                }
            }
        }
        finally
        {
            writer.Finish();
        }

        return outcome;
    }

    /// <summary>Sends a message; Ctrl-C interrupts the turn and ends the command.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> SendOnceAsync(SendMessageRequest message, CancellationToken cancellationToken)
    {
        try
        {
            var outcome = await SendAsync(message, cancellationToken);
            return outcome.Failure is { } failure ? throw new CliException(failure, ExitCodes.TurnNotCompleted) : ExitCodes.Ok;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            context.Output.Note(await InterruptAsync() is { } interrupted
                ? interrupted ? "Turn interrupted." : "No turn was running."
                : $"The turn may go on: it could not be interrupted. Try: ash session interrupt {session}");
            return ExitCodes.Cancelled;
        }
    }

    /// <summary>Ends the turn that runs.</summary>
    /// <returns>Whether one ran; null where that could not be found out.</returns>
    public async Task<bool?> InterruptAsync()
    {
        // The command's own token may be cancelled already.
        using var time = new CancellationTokenSource(InterruptTime, context.Host.Clock);

        try
        {
            return (await context.Client.Sessions.InterruptAsync(session, time.Token)).Interrupted;
        }
        catch (Exception failure) when (failure is AshException or OperationCanceledException)
        {
            return null;
        }
    }
}
