using System.CommandLine;
using System.Globalization;
using Ash.Cli.Output;
using Ash.Client.Events;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session tail</c>.</summary>
internal static class TailCommand
{
    private const int PageSize = 200;
    private const int MaxText = 160;

    public static Command Create(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var (after, type) = (HistoryCommands.AfterOption(), HistoryCommands.TypeOption());
        var noFollow = new Option<bool>("--no-follow") { Description = "Shows what is there, and ends." };
        var command = new Command("tail", "Shows a session's timeline, and stays for what comes. Ctrl-C ends it.") { id, type, after, noFollow };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var tail = new Timeline(context, context.Parse.GetValue(id), context.Parse.GetValue(type), context.Parse.GetValue(after));

            try
            {
                await tail.ShowNewAsync(cancellationToken);

                if (!context.Parse.GetValue(noFollow))
                {
                    await tail.FollowAsync(cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                context.Output.Note("Stopped tailing.");
            }

            return ExitCodes.Ok;
        });
    }

    /// <summary>A timeline that is shown as far as <paramref name="last"/>.</summary>
    private sealed class Timeline(CommandContext context, Guid session, string? type, long last)
    {
        public async Task ShowNewAsync(CancellationToken cancellationToken)
        {
            IReadOnlyList<SessionEventInfo> page;

            do
            {
                page = await context.Client.Sessions.ListEventsAsync(session, last, PageSize, type, cancellationToken);

                foreach (var entry in page)
                {
                    Print(entry);
                    last = entry.Sequence;
                }
            }
            while (page.Count >= PageSize);
        }

        /// <summary>The session's stream says that there is something new; the list of events says what, with its time.</summary>
        public async Task FollowAsync(CancellationToken cancellationToken)
        {
            var stream = new StreamOptions { After = last.ToString(CultureInfo.InvariantCulture), Partial = false };

            await foreach (var read in context.Client.Sessions.StreamAsync(session, stream, cancellationToken))
            {
                // The last frame of a row has the row's own number.
                if (long.TryParse(read.Id, NumberStyles.None, CultureInfo.InvariantCulture, out var row) && row > last)
                {
                    await ShowNewAsync(cancellationToken);
                    last = Math.Max(last, row);
                }
            }
        }

        private void Print(SessionEventInfo entry)
        {
            if (context.Output.IsJson)
            {
                context.Output.Result(entry);
                return;
            }

            var kind = $"[{TerminalText.Line(entry.Type, MaxText)}]";
            var shown = TimelineText.ColourOf(entry) is { } colour ? context.Output.Painted(kind, colour) : kind;
            context.Output.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{entry.CreatedAt.UtcDateTime:HH:mm:ss} #{entry.Sequence} {shown} {TerminalText.Line(TimelineText.OfEvent(entry), MaxText)}"));
            context.Output.Out.Flush();
        }
    }
}
