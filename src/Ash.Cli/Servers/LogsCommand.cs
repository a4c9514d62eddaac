using System.CommandLine;

namespace Ash.Cli.Servers;

/// <summary><c>ash logs</c>.</summary>
internal static class LogsCommand
{
    public static Command Create(CommandBinder binder)
    {
        var follow = new Option<bool>("--follow", "-f") { Description = "Stays, and shows what is added." };
        var lines = new Option<int>("--lines", "-n")
        {
            Description = "How many of the last lines are shown.",
            DefaultValueFactory = _ => 100,
        };
        var dataDir = ServerOptions.DataDir();
        var command = new Command("logs", "Shows the log of this machine's server.") { follow, lines, dataDir };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var folder = context.DataFolder(context.Parse.GetValue(dataDir));

            if (!File.Exists(folder.LogFile))
            {
                throw new CliException($"There is no log at {folder.LogFile}. Start a server with: ash start");
            }

            long position;

            await using (var log = LogReader.Open(folder.LogFile))
            {
                foreach (var line in LogReader.ReadLast(log, Math.Max(0, context.Parse.GetValue(lines))))
                {
                    await context.Host.Out.WriteLineAsync(line.AsMemory(), cancellationToken);
                }

                position = log.Position;
            }

            if (!context.Parse.GetValue(follow))
            {
                return ExitCodes.Ok;
            }

            try
            {
                await LogReader.FollowAsync(folder.LogFile, position, context.Host.Out, context.Host.Clock, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // Ctrl-C is how following ends.
            }

            return ExitCodes.Ok;
        });
    }
}
