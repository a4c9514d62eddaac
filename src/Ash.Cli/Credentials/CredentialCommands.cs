using System.CommandLine;
using Ash.Cli.Output;
using Ash.Protocol.Api;

namespace Ash.Cli.Credentials;

/// <summary><c>ash credential …</c>.</summary>
internal static class CredentialCommands
{
    private static readonly Table<ListedCredential> Table = new(
        new("ID", credential => $"{credential.Id}"),
        new("TYPE", credential => credential.Type),
        new("LABEL", credential => credential.Label),
        new("LAST USED", credential => Display.Time(credential.LastUsedAt)),
        new("CREATED", credential => Display.Time(credential.CreatedAt)));

    public static Command Create(CommandBinder binder) => new("credential", "Leaves secrets for sessions, changes them, and deletes them.")
    {
        CreateList(binder),
        CreateCreate(binder),
        CreateUpdate(binder),
        CreateDelete(binder),
    };

    private static Command CreateList(CommandBinder binder) =>
        binder.Bind(new Command("list", "Lists the credentials, the newest first."), async (context, cancellationToken) =>
        {
            context.Output.List(await context.Client.Credentials.ListAsync(cancellationToken), Table);
            return ExitCodes.Ok;
        });

    private static Command CreateCreate(CommandBinder binder)
    {
        var type = new Argument<string>("type") { Description = "What the secret opens: anthropic, openai, bedrock or custom." };
        type.AcceptOnlyFromAmong("anthropic", "openai", "bedrock", "custom");
        var label = LabelOption();
        var file = new Option<string?>("--key-file")
        {
            Description = "A file with the secret. Otherwise it is read from standard input.", HelpName = "path",
        };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Prints the credential's id alone." };
        var command = new Command("create", "Leaves a secret. It is never shown again.") { type, label, file, quiet };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var created = await context.Client.Credentials.CreateAsync(
                new CreateCredentialRequest
                {
                    Type = context.Parse.GetRequiredValue(type),
                    Key = await ReadSecretAsync(context, context.Parse.GetValue(file), cancellationToken),
                    Label = context.Parse.GetValue(label),
                },
                cancellationToken);

            if (context.Parse.GetValue(quiet))
            {
                context.Output.Out.WriteLine(created.Id);
            }
            else
            {
                context.Output.Result(created, "Credential created: ");
            }

            return ExitCodes.Ok;
        });
    }

    private static Command CreateUpdate(CommandBinder binder)
    {
        var id = new Argument<Guid>("id") { Description = "The credential's id." };
        var label = LabelOption();
        var file = new Option<string?>("--key-file")
        {
            Description = "A file with another secret of the same type, - for standard input.", HelpName = "path",
        };
        var command = new Command("update", "Changes a credential's label, or puts another secret in its place.") { id, label, file };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var path = context.Parse.GetValue(file);
            var request = new UpdateCredentialRequest
            {
                Label = context.Parse.GetValue(label),
                Key = path is null ? null : await ReadSecretAsync(context, path == "-" ? null : path, cancellationToken),
            };
            if (request == new UpdateCredentialRequest())
            {
                throw new CliException("There is nothing to change. Give --label or --key-file.", ExitCodes.Usage);
            }

            context.Output.Result(
                await context.Client.Credentials.UpdateAsync(context.Parse.GetValue(id), request, cancellationToken), "Credential changed: ");
            return ExitCodes.Ok;
        });
    }

    private static Option<string?> LabelOption() => new("--label") { Description = "What it is for.", HelpName = "text" };

    private static Command CreateDelete(CommandBinder binder)
    {
        var id = new Argument<Guid>("id") { Description = "The credential's id." };
        var command = new Command("delete", "Deletes a credential. Sessions that use it make no further model calls.") { id };
        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var credential = context.Parse.GetValue(id);
            await context.Client.Credentials.DeleteAsync(credential, cancellationToken);
            context.Output.Say($"Deleted credential: {credential}");
            context.Output.ResultForPrograms(new OkEnvelope(Ok: true));
            return ExitCodes.Ok;
        });
    }

    /// <summary>Never an argument: every process of the machine can read those, and the shell keeps them.</summary>
    private static async Task<string> ReadSecretAsync(CommandContext context, string? file, CancellationToken cancellationToken)
    {
        var text = file is null
            ? await context.Host.In.ReadToEndAsync(cancellationToken)
            : await File.ReadAllTextAsync(file, cancellationToken);

        // An editor and echo end what they write with a line break, which no secret has.
        return text.TrimEnd('\r', '\n') is { Length: > 0 } secret
            ? secret
            : throw new CliException(
                $"There is no secret in {file ?? "standard input"}. Give it by --key-file, or by < FILE");
    }
}
