using System.CommandLine;
using Ash.Client;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session send</c>.</summary>
internal static class SendCommand
{
    private static readonly TimeSpan InterruptTime = TimeSpan.FromSeconds(5);

    public static Command Create(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var message = new Argument<string>("message") { Description = "What to say; - reads it from standard input." };
        var command = new Command("send", "Sends a message, and prints the answer as it comes. Ctrl-C interrupts the turn.") { id, message };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var session = context.Parse.GetValue(id);
            var text = context.Parse.GetRequiredValue(message);

            if (text == "-")
            {
                text = await context.Host.In.ReadToEndAsync(cancellationToken);
            }

            if (string.IsNullOrWhiteSpace(text))
            {
                throw new CliException("The message is empty.", ExitCodes.Usage);
            }

            ITurnWriter writer = context.Output.IsJson ? new TurnJsonWriter(context.Host.Out) : new TurnTextWriter(context.Output);
            var outcome = new TurnOutcome();

            try
            {
                await foreach (var read in context.Client.Sessions
                    .SendMessageAsync(session, text, includePartialMessages: true, cancellationToken))
                {
                    writer.Write(read);
                    outcome.See(read);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                writer.Finish();
                await InterruptAsync(context, session);
                return ExitCodes.Cancelled;
            }
            finally
            {
                writer.Finish();
            }

            if (outcome.Failure is { } failure)
            {
                throw new CliException(failure, ExitCodes.TurnNotCompleted);
            }

            return ExitCodes.Ok;
        });
    }

    private static async Task InterruptAsync(CommandContext context, Guid session)
    {
        // The command's own token is cancelled already.
        using var time = new CancellationTokenSource(InterruptTime, context.Host.Clock);

        try
        {
            var result = await context.Client.Sessions.InterruptAsync(session, time.Token);
            context.Output.Note(result.Interrupted ? "Turn interrupted." : "No turn was running.");
        }
        catch (Exception failure) when (failure is AshException or OperationCanceledException)
        {
            context.Output.Note($"The turn may go on: it could not be interrupted. Try: ash session interrupt {session}");
        }
    }
}
