using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ash.Cli.Output;
using Ash.Cli.Sessions;
using Ash.Protocol.Api;

namespace Ash.Cli.Agents;

/// <summary><c>ash agent prompt …</c>: numbered system prompts, of which the active one takes the place of <c>CLAUDE.md</c>.</summary>
internal static class PromptCommands
{
    private static readonly Table<PromptVersionInfo> Versions = new(
        new("VERSION", version => Display.Number(version.VersionNumber), Right: true),
        new("NAME", version => version.Name),
        new("", version => version.IsActive ? "active" : "", Colour: _ => Colour.Good),
        new("UPDATED", version => Display.Time(version.UpdatedAt)),
        new("NOTES", version => version.ReleaseNotes ?? ""));

    public static Command Create(CommandBinder binder) =>
        new("prompt", "Keeps prompts for an agent, of which the active one takes the place of CLAUDE.md in new sessions.")
        {
            CreateList(binder),
            CreateShow(binder),
            CreateCreate(binder),
            CreateUpdate(binder),
            CreateActivate(binder),
            CreateDelete(binder),
        };

    private static Command CreateList(CommandBinder binder)
    {
        var name = AgentCommands.NameArgument();
        return binder.Bind(new Command("list", "Lists an agent's prompt versions, the newest first.") { name }, async (context, cancellationToken) =>
        {
            context.Output.List(
                await context.Client.PromptVersions.ListAsync(context.Parse.GetRequiredValue(name), cancellationToken), Versions);
            return ExitCodes.Ok;
        });
    }

    private static Command CreateShow(CommandBinder binder)
    {
        var (name, version) = (AgentCommands.NameArgument(), VersionArgument());
        return binder.Bind(new Command("show", "Shows a prompt version.") { name, version }, async (context, cancellationToken) =>
        {
            context.Output.Result(await context.Client.PromptVersions.GetAsync(
                context.Parse.GetRequiredValue(name), context.Parse.GetRequiredValue(version), cancellationToken));
            return ExitCodes.Ok;
        });
    }

    private static Command CreateCreate(CommandBinder binder)
    {
        var name = AgentCommands.NameArgument();
        var fields = new Fields();
        var from = new Option<string?>("--from")
        {
            Description = "The version whose prompt it has where none is given.", HelpName = "version",
        };
        var activate = new Option<bool>("--activate") { Description = "Makes it that of new sessions." };
        var command = new Command("create", "Makes the next prompt version of an agent.") { name, from, activate };
        fields.AddTo(command);

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var agent = context.Parse.GetRequiredValue(name);
            var request = await fields.ReadAsync(context.Parse, cancellationToken);
            var made = await context.Client.PromptVersions.CreateAsync(
                agent, request with { CloneFrom = ReadFrom(context.Parse.GetValue(from)) }, cancellationToken);

            if (context.Parse.GetValue(activate))
            {
                await context.Client.PromptVersions.ActivateAsync(agent, Number(made), cancellationToken);
                made = await context.Client.PromptVersions.GetAsync(agent, Number(made), cancellationToken);
            }

            context.Output.Result(made, "Prompt version created: ");
            return ExitCodes.Ok;
        });
    }

    private static Command CreateUpdate(CommandBinder binder)
    {
        var (name, version) = (AgentCommands.NameArgument(), VersionArgument());
        var fields = new Fields();
        var command = new Command("update", "Changes a prompt version. Sessions keep what they began with.") { name, version };
        fields.AddTo(command);

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var changed = await context.Client.PromptVersions.UpdateAsync(
                context.Parse.GetRequiredValue(name),
                context.Parse.GetRequiredValue(version),
                await fields.ReadAsync(context.Parse, cancellationToken),
                cancellationToken);
            context.Output.Result(changed, "Prompt version changed: ");
            return ExitCodes.Ok;
        });
    }

    private static Command CreateActivate(CommandBinder binder)
    {
        var (name, version) = (AgentCommands.NameArgument(), VersionArgument());
        return binder.Bind(new Command("activate", "Makes a prompt version that of new sessions.") { name, version }, async (context, cancellationToken) =>
        {
            var agent = context.Parse.GetRequiredValue(name);
            var activated = await context.Client.PromptVersions.ActivateAsync(
                agent, context.Parse.GetRequiredValue(version), cancellationToken);
            context.Output.Say($"New sessions of {agent} have prompt version {activated.VersionNumber}");
            context.Output.ResultForPrograms(activated);
            return ExitCodes.Ok;
        });
    }

    private static Command CreateDelete(CommandBinder binder)
    {
        var (name, version) = (AgentCommands.NameArgument(), VersionArgument());
        var command = new Command("delete", "Deletes a prompt version. In the active one's place is CLAUDE.md again.") { name, version };
        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var deleted = context.Parse.GetRequiredValue(version);
            await context.Client.PromptVersions.DeleteAsync(context.Parse.GetRequiredValue(name), deleted, cancellationToken);
            context.Output.Say($"Deleted prompt version: {deleted}");
            context.Output.ResultForPrograms(new DeletedLine(deleted));
            return ExitCodes.Ok;
        });
    }

    private static Argument<string> VersionArgument() => new("version") { Description = "Its number, or its id." };

    private static string Number(PromptVersionInfo version) => version.VersionNumber.ToString(CultureInfo.InvariantCulture);

    /// <summary>The API tells numbers from ids by their JSON.</summary>
    private static JsonElement? ReadFrom(string? version) => version switch
    {
        null => null,
        _ when int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) =>
            JsonElement.Parse(number.ToString(CultureInfo.InvariantCulture)),
        _ => JsonSerializer.SerializeToElement(version, CliJson.Default.String),
    };

    /// <summary>What a prompt version consists of.</summary>
    private sealed class Fields
    {
        private readonly Option<string?> _prompt = new("--prompt") { Description = "The prompt.", HelpName = "text" };
        private readonly Option<string?> _file = new("--prompt-file") { Description = "As --prompt, from a file.", HelpName = "path" };
        private readonly Option<string?> _label = new("--name") { Description = "What people call it.", HelpName = "text" };
        private readonly Option<string?> _notes = new("--notes") { Description = "What is new in it.", HelpName = "text" };

        public void AddTo(Command command)
        {
            command.Add(_prompt);
            command.Add(_file);
            command.Add(_label);
            command.Add(_notes);
        }

        public async Task<PromptVersionRequest> ReadAsync(ParseResult parse, CancellationToken cancellationToken) => new()
        {
            SystemPrompt = await TextOption.ReadAsync(parse, _prompt, _file, cancellationToken),
            Name = parse.GetValue(_label),
            ReleaseNotes = parse.GetValue(_notes),
        };
    }
}
