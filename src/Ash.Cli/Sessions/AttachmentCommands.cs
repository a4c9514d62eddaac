using System.CommandLine;
using Ash.Cli.Output;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary><c>ash session attachments</c>, <c>attach</c> and <c>detach</c>.</summary>
internal static class AttachmentCommands
{
    private static readonly Table<AttachmentInfo> Table = new(
        new("ID", attachment => $"{attachment.Id}"),
        new("FILENAME", attachment => attachment.Filename),
        new("TYPE", attachment => attachment.MimeType),
        new("SIZE", attachment => Display.Number(attachment.Size), Right: true),
        new("CREATED", attachment => Display.Time(attachment.CreatedAt)));

    public static Command CreateList(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var attachment = new Argument<Guid?>("attachment")
        {
            Description = "An attachment to print; lists them where absent.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var output = SavedContent.Option();
        var command = new Command("attachments", "Lists the files that users gave to a session, or prints one.") { id, attachment, output };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            if (context.Parse.GetValue(attachment) is { } chosen)
            {
                await using var file = await context.Client.Attachments.OpenAsync(chosen, cancellationToken);
                return await SavedContent.TakeAsync(context, file, context.Parse.GetValue(output), cancellationToken);
            }

            context.Output.List(await context.Client.Attachments.ListAsync(context.Parse.GetValue(id), cancellationToken), Table);
            return ExitCodes.Ok;
        });
    }

    public static Command CreateAttach(CommandBinder binder)
    {
        var id = SessionId.Argument();
        var local = new Argument<string>("file") { Description = "A file of this machine." };
        var name = new Option<string?>("--name") { Description = "Its name there; its own where absent.", HelpName = "name" };
        var type = new Option<string?>("--type") { Description = "What it is, such as image/png.", HelpName = "mime" };
        var command = new Command("attach", "Gives a session a file. Its agent finds a copy in the workspace.") { id, local, name, type };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var path = context.Parse.GetRequiredValue(local);
            await using var content = File.OpenRead(path);
            var attachment = await context.Output.WaitAsync("Sending the file", context.Client.Attachments.AddAsync(
                context.Parse.GetValue(id),
                context.Parse.GetValue(name) ?? Path.GetFileName(path),
                content,
                context.Parse.GetValue(type),
                cancellationToken: cancellationToken));
            context.Output.Result(attachment, "Attached: ");
            return ExitCodes.Ok;
        });
    }

    public static Command CreateDetach(CommandBinder binder)
    {
        var attachment = new Argument<Guid>("attachment") { Description = "The attachment's id." };
        var command = new Command("detach", "Removes an attachment, and its copy unless that was changed.") { attachment };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var id = context.Parse.GetValue(attachment);
            await context.Client.Attachments.DeleteAsync(id, cancellationToken);
            context.Output.Say($"Deleted attachment: {id}");
            context.Output.ResultForPrograms(new DeletedLine($"{id}"));
            return ExitCodes.Ok;
        });
    }
}
