using System.CommandLine;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session send</c>.</summary>
internal static class SendCommand
{
    public static Command Create(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var message = new Argument<string>("message") { Description = "What to say; - reads it from standard input." };
        var raw = new Option<bool>("--raw") { Description = "Prints each event on a line, cut to 200 characters." };
        var options = new MessageOptions();
        var command = new Command("send", "Sends a message, and prints the answer as it comes. Ctrl-C interrupts the turn.") { id, message, raw };
        options.AddTo(command);

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var request = options.Read(context.Parse);
            var text = await MessageText.ReadAsync(context.Host, context.Parse.GetRequiredValue(message), cancellationToken);
            ITurnWriter writer = context.Output.IsJson ? new TurnJsonWriter(context.Host.Out)
                : context.Parse.GetValue(raw) ? new TurnRawWriter(context.Output)
                : new TurnTextWriter(context.Output);
            return await new TurnRun(context, context.Parse.GetValue(id), writer)
                .SendOnceAsync(MessageOptions.WithText(request, text), cancellationToken);
        });
    }
}
