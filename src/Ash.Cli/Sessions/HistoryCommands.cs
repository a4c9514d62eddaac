using System.CommandLine;
using Ash.Cli.Output;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session messages</c>, <c>events</c> and <c>logs</c>.</summary>
internal static class HistoryCommands
{
    private const int MaxText = 100;
    private static readonly TimeSpan LogPace = TimeSpan.FromSeconds(1);

    private static readonly Table<MessageInfo> Messages = new(
        new("SEQ", message => Display.Number(message.Sequence), Right: true),
        new("TIME", message => Display.Time(message.CreatedAt)),
        new("ROLE", message => message.Role, Colour: message => message.Role == "user" ? Colour.Strong : null),
        new("TEXT", message => TerminalText.Line(TimelineText.OfMessage(message), MaxText)));

    private static readonly Table<SessionEventInfo> Events = new(
        new("SEQ", entry => Display.Number(entry.Sequence), Right: true),
        new("TIME", entry => Display.Time(entry.CreatedAt)),
        new("TYPE", entry => entry.Type, Colour: TimelineText.ColourOf),
        new("WHAT", entry => TerminalText.Line(TimelineText.OfEvent(entry), MaxText)));

    public static Command CreateMessages(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var (after, limit) = (AfterOption(), LimitOption(100));
        var command = new Command("messages", "Shows what was said in a session, the oldest first.") { id, after, limit };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            context.Output.List(
                await context.Client.Sessions.ListMessagesAsync(
                    context.Parse.GetValue(id), context.Parse.GetValue(after), context.Parse.GetValue(limit), cancellationToken),
                Messages);
            return ExitCodes.Ok;
        });
    }

    public static Command CreateEvents(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var (after, limit, type) = (AfterOption(), LimitOption(200), TypeOption());
        var command = new Command("events", "Shows a session's timeline, the oldest first.") { id, after, limit, type };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            context.Output.List(
                await context.Client.Sessions.ListEventsAsync(
                    context.Parse.GetValue(id),
                    context.Parse.GetValue(after),
                    context.Parse.GetValue(limit),
                    context.Parse.GetValue(type),
                    cancellationToken),
                Events);
            return ExitCodes.Ok;
        });
    }

    public static Command CreateLogs(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var follow = new Option<bool>("--follow", "-f") { Description = "Stays, and shows what is added." };
        var command = new Command("logs", "Shows what a session's sandbox wrote beside the agent's own stream.") { id, follow };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var last = -1L;

            try
            {
                while (true)
                {
                    foreach (var entry in await context.Client.Sessions.ListLogsAsync(context.Parse.GetValue(id), last, cancellationToken))
                    {
                        Print(context.Output, entry);
                        last = entry.Index;
                    }

                    if (!context.Parse.GetValue(follow))
                    {
                        return ExitCodes.Ok;
                    }

                    // The API has a list of them, and no stream.
                    await Task.Delay(LogPace, context.Host.Clock, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (context.Parse.GetValue(follow) && cancellationToken.IsCancellationRequested)
            {
                // Ctrl-C is how following ends.
                return ExitCodes.Ok;
            }
        });
    }

    public static Option<long> AfterOption() =>
        new("--after") { Description = "Only what has a greater sequence number.", HelpName = "seq" };

    public static Option<string?> TypeOption()
    {
        var option = new Option<string?>("--type", "-t") { Description = "Only entries of this type.", HelpName = "type" };
        option.AcceptOnlyFromAmong("lifecycle", "text", "tool_start", "reasoning", "tool_result", "turn_complete", "error");
        return option;
    }

    private static Option<int> LimitOption(int usual) => new("--limit")
    {
        Description = $"At most so many, 1 to 1000 (default: {usual}).",
        HelpName = "count",
        DefaultValueFactory = _ => usual,
    };

    private static void Print(CliOutput output, SessionLogEntry entry)
    {
        if (output.IsJson)
        {
            output.Result(entry);
            return;
        }

        var text = output.IsTerminal ? TerminalText.Clean(entry.Text) : entry.Text;
        var line = $"{entry.Ts.UtcDateTime:HH:mm:ss} {entry.Level,-6} {text}";
        output.Out.WriteLine(entry.Level switch
        {
            "stderr" => output.Painted(line, Colour.Attention),
            "system" => output.Painted(line, Colour.Dim),
            _ => line,
        });
    }
}
