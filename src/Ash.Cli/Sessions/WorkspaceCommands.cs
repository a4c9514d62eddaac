using System.CommandLine;
using Ash.Cli.Output;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session download</c> and <c>upload</c>.</summary>
internal static class WorkspaceCommands
{
    public static Command CreateDownload(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var output = new Option<string?>("--output", "-o") { Description = "Where to; <id>.tar.gz where absent.", HelpName = "file" };
        var command = new Command("download", "Saves a session's workspace as a tar.gz.") { id, output };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var session = context.Parse.GetValue(id);
            var path = context.Parse.GetValue(output) ?? $"{session}.tar.gz";
            await using var bundle = await context.Client.Files.DownloadWorkspaceAsync(session, cancellationToken);
            return await SavedContent.SaveAsync(context, bundle, path, cancellationToken);
        });
    }

    public static Command CreateUpload(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var bundle = new Argument<string>("bundle") { Description = "A tar.gz of this machine." };
        var command = new Command("upload", "Lays a tar.gz over a session's workspace; nothing there is removed.") { id, bundle };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            await using var content = File.OpenRead(context.Parse.GetRequiredValue(bundle));
            var result = await context.Client.Files.UploadWorkspaceAsync(context.Parse.GetValue(id), content, cancellationToken);
            context.Output.Say($"{result.Message}: {result.Written} file(s)");

            foreach (var skipped in result.SkippedEntries)
            {
                context.Output.Note($"Skipped {TerminalText.Line(skipped.Path, int.MaxValue)}: {skipped.Reason}");
            }

            if (result.Skipped > result.SkippedEntries.Count)
            {
                context.Output.Note($"Skipped {result.Skipped - result.SkippedEntries.Count} more");
            }

            context.Output.ResultForPrograms(result);
            return ExitCodes.Ok;
        });
    }
}
