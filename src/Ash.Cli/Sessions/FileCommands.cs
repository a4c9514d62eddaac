using System.CommandLine;
using System.Globalization;
using Ash.Cli.Output;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session files</c> and <c>write</c>.</summary>
internal static class FileCommands
{
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
        var rows = listing.Files
            .Select(file => (
                Path: TerminalText.Line(file.Path, int.MaxValue),
                Size: file.Size.ToString(CultureInfo.InvariantCulture),
                Modified: file.ModifiedAt.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)))
            .Prepend((Path: "PATH", Size: "SIZE", Modified: "MODIFIED"))
            .ToList();
        var (pathWidth, sizeWidth) = (rows.Max(row => row.Path.Length), rows.Max(row => row.Size.Length));

        foreach (var row in rows)
        {
            output.Out.WriteLine($"{row.Path.PadRight(pathWidth)}  {row.Size.PadLeft(sizeWidth)}  {row.Modified}");
        }

        output.Out.WriteLine($"{listing.Files.Count} file(s)");

        if (listing.Truncated)
        {
            output.Note("There are more files than a listing shows.");
        }
    }
}
