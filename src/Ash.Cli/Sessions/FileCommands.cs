using System.CommandLine;
using Ash.Cli.Output;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session files</c>, <c>read</c>, <c>write</c> and <c>rm</c>.</summary>
internal static class FileCommands
{
    /// <summary>Also of an agent's files.</summary>
    public static readonly Table<FileEntry> Table = new(
        new("PATH", file => file.Path),
        new("SIZE", file => Display.Number(file.Size), Right: true),
        new("MODIFIED", file => Display.Time(file.ModifiedAt)));

    public static Command CreateFiles(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var path = new Argument<string?>("path")
        {
            Description = "A file to print, as text; lists the files where absent.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("files", "Lists the files of a session's workspace, or prints one.") { id, path };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var session = context.Parse.GetValue(id);

            if (context.Parse.GetValue(path) is { } chosen)
            {
                Print(context.Output, await context.Client.Files.ReadTextAsync(session, chosen, cancellationToken));
            }
            else
            {
                Print(context.Output, await context.Client.Files.ListAsync(session, cancellationToken: cancellationToken));
            }

            return ExitCodes.Ok;
        });
    }

    public static Command CreateWrite(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var local = new Argument<string>("local") { Description = "A file of this machine." };
        var remote = new Argument<string?>("remote")
        {
            Description = "Its path in the workspace; its own name where absent.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("write", "Writes a file into a session's workspace.") { id, local, remote };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var file = context.Parse.GetRequiredValue(local);
            var path = context.Parse.GetValue(remote) ?? Path.GetFileName(Path.GetFullPath(file));
            await using var content = File.OpenRead(file);
            var result = await context.Client.Files.WriteAsync(context.Parse.GetValue(id), path, content, cancellationToken);

            if (result.Error is { } error)
            {
                throw new CliException($"{path} was not written: {error}");
            }

            context.Output.Say($"Wrote {path} ({result.Size} bytes)");
            context.Output.ResultForPrograms(result);
            return ExitCodes.Ok;
        });
    }

    public static Command CreateRead(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var path = new Argument<string>("path") { Description = "Its path in the workspace." };
        var output = SavedContent.Option();
        var command = new Command("read", "Prints a file of a session's workspace byte for byte, or saves it.") { id, path, output };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            await using var file = await context.Client.Files.OpenAsync(
                context.Parse.GetValue(id), context.Parse.GetRequiredValue(path), cancellationToken: cancellationToken);
            return await SavedContent.TakeAsync(context, file, context.Parse.GetValue(output), cancellationToken);
        });
    }

    public static Command CreateRemove(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var path = new Argument<string>("path") { Description = "Its path in the workspace." };

        return binder.Bind(new Command("rm", "Deletes a file of a session's workspace.") { id, path }, async (context, cancellationToken) =>
        {
            var file = context.Parse.GetRequiredValue(path);
            await context.Client.Files.DeleteAsync(context.Parse.GetValue(id), file, cancellationToken);
            context.Output.Say($"Deleted {file}");
            context.Output.ResultForPrograms(new DeletedLine(file));
            return ExitCodes.Ok;
        });
    }

    private static void Print(CliOutput output, FileText file)
    {
        if (output.IsJson)
        {
            output.Result(file);
            return;
        }

        output.Out.Write(output.IsTerminal ? TerminalText.Clean(file.Content) : file.Content);
    }

    private static void Print(CliOutput output, FileListing listing)
    {
        if (output.IsJson)
        {
            output.Result(listing);
            return;
        }

        output.Out.WriteLine($"Source: {listing.Source}");
        output.Show(listing.Files, Table);
        output.Out.WriteLine($"{listing.Files.Count} file(s)");

        if (listing.Truncated)
        {
            output.Note("There are more files than a listing shows.");
        }
    }
}
