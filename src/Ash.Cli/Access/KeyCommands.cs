using System.CommandLine;
using System.Globalization;
using Ash.Cli.Output;
using Ash.Protocol.Api;

namespace Ash.Cli.Access;

/// <summary><c>ash key …</c>.</summary>
internal static class KeyCommands
{
    private static readonly Table<ApiKeyInfo> Keys = new(
        new("ID", key => key.Id),
        new("LABEL", key => key.Label),
        new("PREFIX", key => key.KeyPrefix),
        new("SCOPES", key => string.Join(',', key.Scopes ?? [])),
        new("LAST USED", key => Display.Time(key.LastUsedAt)),
        new("EXPIRES", key => Display.Time(key.ExpiresAt)));

    public static Command Create(CommandBinder binder) => new("key", "Makes API keys, lists them, changes them, and deletes them.")
    {
        CreateList(binder),
        CreateCreate(binder),
        CreateUpdate(binder),
        CreateDelete(binder),
    };

    private static Command CreateList(CommandBinder binder) =>
        binder.Bind(new Command("list", "Lists the API keys, the newest first."), async (context, cancellationToken) =>
        {
            context.Output.List(await context.Client.ApiKeys.ListAsync(cancellationToken), Keys);
            return ExitCodes.Ok;
        });

    private static Command CreateCreate(CommandBinder binder)
    {
        var label = LabelOption();
        var scopes = ScopeOption("What it may do: read, write or admin (default: all).");
        var expires = ExpiryOption(" (default: never)");
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Prints the key alone." };
        var command = new Command("create", "Makes an API key, and prints it this once.") { label, scopes, expires, quiet };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var created = await context.Client.ApiKeys.CreateAsync(
                new CreateApiKeyRequest
                {
                    Label = context.Parse.GetValue(label),
                    Scopes = context.Parse.GetValue(scopes) is { Length: > 0 } chosen ? chosen : null,
                    ExpiresAt = context.Parse.GetValue(expires),
                },
                cancellationToken);

            if (context.Parse.GetValue(quiet))
            {
                context.Output.Out.WriteLine(created.Key);
                return ExitCodes.Ok;
            }

            context.Output.Note("The key is shown this once.");
            context.Output.Result(created, "API key created: ");
            return ExitCodes.Ok;
        });
    }

    private static Command CreateUpdate(CommandBinder binder)
    {
        var id = new Argument<Guid>("id") { Description = "The key's id." };
        var label = LabelOption();
        var scopes = ScopeOption("What it may do from now on: read, write or admin.");
        var expires = ExpiryOption("");
        var command = new Command("update", "Changes an API key's label, scopes or end. The key itself stays.") { id, label, scopes, expires };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var request = new UpdateApiKeyRequest
            {
                Label = context.Parse.GetValue(label),
                Scopes = context.Parse.GetValue(scopes) is { Length: > 0 } chosen ? chosen : null,
                ExpiresAt = context.Parse.GetValue(expires),
            };
            if (request == new UpdateApiKeyRequest())
            {
                throw new CliException("There is nothing to change. Give --label, --scope or --expires-at.", ExitCodes.Usage);
            }

            context.Output.Result(
                await context.Client.ApiKeys.UpdateAsync(context.Parse.GetValue(id), request, cancellationToken), "API key changed: ");
            return ExitCodes.Ok;
        });
    }

    private static Command CreateDelete(CommandBinder binder)
    {
        var id = new Argument<Guid>("id") { Description = "The key's id." };
        var command = new Command("delete", "Deletes an API key. It lets nobody in any more.") { id };
        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var key = context.Parse.GetValue(id);
            await context.Client.ApiKeys.DeleteAsync(key, cancellationToken);
            context.Output.Say($"Deleted API key: {key}");
            context.Output.ResultForPrograms(new OkEnvelope(Ok: true));
            return ExitCodes.Ok;
        });
    }

    private static Option<string?> LabelOption() => new("--label") { Description = "What the key is for.", HelpName = "text" };

    private static Option<string[]> ScopeOption(string description)
    {
        var scopes = new Option<string[]>("--scope") { Description = description, HelpName = "scope" };
        scopes.AcceptOnlyFromAmong("read", "write", "admin");
        return scopes;
    }

    private static Option<DateTimeOffset?> ExpiryOption(string note) => new("--expires-at")
    {
        Description = $"When it ends, such as 2027-01-31 or 2027-01-31T12:00:00Z{note}.",
        HelpName = "time",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            {
                return time;
            }

            result.AddError($"Not a time: \"{text}\". Write 2027-01-31 or 2027-01-31T12:00:00Z");
            return null;
        },
    };
}
