using System.CommandLine;
using Ash.Cli.Output;
using Ash.Cli.Sessions;
using Ash.Protocol.Api;

namespace Ash.Cli.Agents;

/// <summary><c>ash agent files</c>, <c>read</c>, <c>write</c>, <c>rm</c> and <c>download</c>.</summary>
internal static class AgentFileCommands
{
    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public static Command CreateFiles(CommandBinder binder)
    {
        var name = AgentCommands.NameArgument();
        return binder.Bind(new Command("files", "Lists an agent's files.") { name }, async (context, cancellationToken) =>
        {
            context.Output.List(
                await context.Client.AgentFiles.ListAsync(context.Parse.GetRequiredValue(name), cancellationToken), FileCommands.Table);
            return ExitCodes.Ok;
        });
    }

    public static Command CreateRead(CommandBinder binder)
    {
        var name = AgentCommands.NameArgument();
        var path = PathArgument();
        var output = SavedContent.Option();
        var command = new Command("read", "Prints a file of an agent byte for byte, or saves it.") { name, path, output };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            await using var file = await context.Client.AgentFiles.OpenAsync(
                context.Parse.GetRequiredValue(name), context.Parse.GetRequiredValue(path), cancellationToken);
            return await SavedContent.TakeAsync(context, file, context.Parse.GetValue(output), cancellationToken);
        });
    }

    public static Command CreateWrite(CommandBinder binder)
    {
        var name = AgentCommands.NameArgument();
        var local = new Argument<string>("local") { Description = "A file of this machine." };
        var remote = new Argument<string?>("remote")
        {
            Description = "Its path in the agent's folder; its own name where absent.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("write", "Writes a file of an agent: its next version.") { name, local, remote };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var file = context.Parse.GetRequiredValue(local);
            var path = context.Parse.GetValue(remote) ?? Path.GetFileName(Path.GetFullPath(file));
            var content = await File.ReadAllBytesAsync(file, cancellationToken);
            var written = new AgentFile(path, Convert.ToBase64String(content), (File.GetUnixFileMode(file) & AnyExecute) != 0);
            await context.Client.AgentFiles.WriteAsync(context.Parse.GetRequiredValue(name), [written], cancellationToken);
            context.Output.Say($"Wrote {path} ({content.Length} bytes)");
            context.Output.ResultForPrograms(new SavedFile(path, content.Length));
            return ExitCodes.Ok;
        });
    }

    public static Command CreateRemove(CommandBinder binder)
    {
        var name = AgentCommands.NameArgument();
        var path = PathArgument();

        return binder.Bind(new Command("rm", "Deletes a file of an agent: its next version.") { name, path }, async (context, cancellationToken) =>
        {
            var file = context.Parse.GetRequiredValue(path);
            await context.Client.AgentFiles.DeleteAsync(context.Parse.GetRequiredValue(name), file, cancellationToken);
            context.Output.Say($"Deleted {file}");
            context.Output.ResultForPrograms(new DeletedLine(file));
            return ExitCodes.Ok;
        });
    }

    public static Command CreateDownload(CommandBinder binder)
    {
        var name = AgentCommands.NameArgument();
        var output = new Option<string?>("--output", "-o") { Description = "Where to; <name>.tar.gz where absent.", HelpName = "file" };
        var command = new Command("download", "Saves an agent's folder as a tar.gz.") { name, output };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var agent = context.Parse.GetRequiredValue(name);
            await using var archive = await context.Client.AgentFiles.DownloadAsync(agent, cancellationToken);
            return await SavedContent.SaveAsync(
                context, archive, context.Parse.GetValue(output) ?? $"{AgentName.Normalize(agent)}.tar.gz", cancellationToken);
        });
    }

    private static Argument<string> PathArgument() => new("path") { Description = "Its path in the agent's folder." };
}
