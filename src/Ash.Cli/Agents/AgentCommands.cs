using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Cli.Output;
using Ash.Cli.Sessions;
using Ash.Protocol.Api;

namespace Ash.Cli.Agents;

/// <summary><c>ash agent …</c>.</summary>
internal static class AgentCommands
{
    private static readonly Table<AgentInfo> Agents = new(
        new("NAME", agent => agent.Name),
        new("VERSION", agent => Display.Number(agent.Version), Right: true),
        new("CONTENT", agent => agent.ContentHash[..Math.Min(12, agent.ContentHash.Length)]),
        new("UPDATED", agent => Display.Time(agent.UpdatedAt)),
        new("CREATED", agent => Display.Time(agent.CreatedAt)));

    private static readonly Table<DeployInfo> Deploys = new(
        new("VERSION", deploy => Display.Number(deploy.Version), Right: true),
        new("CONTENT", deploy => deploy.ContentHash[..Math.Min(12, deploy.ContentHash.Length)]),
        new("DEPLOYED", deploy => Display.Time(deploy.CreatedAt)),
        new("", deploy => deploy.IsCurrent ? "current" : "", Colour: _ => Colour.Good));

    public static Command Create(CommandBinder binder) => new("agent", "Looks at deployed agents, changes them, and deletes them.")
    {
        CreateList(binder),
        CreateInfo(binder),
        CreateUpdate(binder),
        CreateEnv(binder),
        CreateConfig(binder),
        CreateClone(binder),
        CreateDeploys(binder),
        CreateRollback(binder),
        AgentFileCommands.CreateFiles(binder),
        AgentFileCommands.CreateRead(binder),
        AgentFileCommands.CreateWrite(binder),
        AgentFileCommands.CreateRemove(binder),
        AgentFileCommands.CreateDownload(binder),
        PromptCommands.Create(binder),
        CreateDelete(binder),
    };

    public static Argument<string> NameArgument() => new("name") { Description = "The agent's name." };

    private static Command CreateList(CommandBinder binder) =>
        binder.Bind(new Command("list", "Lists all agents."), async (context, cancellationToken) =>
        {
            context.Output.List(await context.Client.Agents.ListAsync(cancellationToken), Agents);
            return ExitCodes.Ok;
        });

    private static Command CreateInfo(CommandBinder binder)
    {
        var name = NameArgument();
        return binder.Bind(new Command("info", "Shows an agent.") { name }, async (context, cancellationToken) =>
        {
            context.Output.Result(await context.Client.Agents.GetAsync(context.Parse.GetRequiredValue(name), cancellationToken));
            return ExitCodes.Ok;
        });
    }

    private static Command CreateUpdate(CommandBinder binder)
    {
        var name = NameArgument();
        var env = EnvOption.Create("Sets a variable. Those that are given take the place of the whole environment.");
        var prompt = new Option<string?>("--prompt") { Description = "Takes the place of CLAUDE.md.", HelpName = "text" };
        var promptFile = new Option<string?>("--prompt-file") { Description = "As --prompt, from a file.", HelpName = "path" };
        var config = JsonOption.Create("--config", "Fields that are kept with the agent for its users.");
        var newName = new Option<string?>("--name") { Description = "What it is called from now on.", HelpName = "name" };
        var command = new Command("update", "Changes an agent; a new prompt is its next version.") { name, prompt, promptFile, env, config, newName };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var variables = EnvOption.Read(context.Parse, env);
            var request = new UpdateAgentRequest
            {
                Env = variables.Count > 0 ? variables : null,
                SystemPrompt = await TextOption.ReadAsync(context.Parse, prompt, promptFile, cancellationToken),
                Config = JsonOption.Read(context.Parse, config),
                Name = context.Parse.GetValue(newName),
            };

            if (request == new UpdateAgentRequest())
            {
                throw new CliException("There is nothing to change. Give --prompt, --prompt-file, --env, --config or --name.", ExitCodes.Usage);
            }

            var agent = await context.Client.Agents.UpdateAsync(context.Parse.GetRequiredValue(name), request, cancellationToken);
            context.Output.Result(agent, "Agent changed: ");
            return ExitCodes.Ok;
        });
    }

    private static Command CreateEnv(CommandBinder binder)
    {
        var name = NameArgument();
        var variables = new Argument<string[]>("KEY=VALUE")
        {
            Description = "Variables that take the place of the whole environment; without any it is shown, its values as ***.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var clear = new Option<bool>("--clear") { Description = "Removes all variables." };
        var command = new Command("env", "Shows an agent's environment, or replaces it.") { name, variables, clear };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var agent = context.Parse.GetRequiredValue(name);
            var given = EnvOption.Read(context.Parse.GetValue(variables) ?? []);
            var isReplaced = given.Count > 0 || context.Parse.GetValue(clear);
            var found = isReplaced
                ? await context.Client.Agents.UpdateAsync(agent, new UpdateAgentRequest { Env = given }, cancellationToken)
                : await context.Client.Agents.GetAsync(agent, cancellationToken);
            context.Output.Result(found.Env ?? new Dictionary<string, string>());
            return ExitCodes.Ok;
        });
    }

    private static Command CreateConfig(CommandBinder binder)
    {
        var name = NameArgument();
        var set = JsonOption.Create("--set", "Fields to add, or to put in the place of those of the same names.");
        var command = new Command("config", "Shows what is kept with an agent for its users, or changes it.") { name, set };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var agent = context.Parse.GetRequiredValue(name);
            context.Output.Result(JsonOption.Read(context.Parse, set) switch
            {
                null => await context.Client.Agents.GetConfigAsync(agent, cancellationToken),
                { ValueKind: JsonValueKind.Object } fields =>
                    await context.Client.Agents.UpdateConfigAsync(agent, JsonObject.Create(fields)!, cancellationToken), // It is an object.
                _ => throw new CliException("--set: not an object", ExitCodes.Usage),
            });
            return ExitCodes.Ok;
        });
    }

    private static Command CreateClone(CommandBinder binder)
    {
        var name = NameArgument();
        var newName = new Argument<string>("new-name") { Description = "The copy's name." };
        var command = new Command("clone", "Makes an agent of an agent, with all but its sessions.") { name, newName };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var clone = await context.Client.Agents.CloneAsync(
                context.Parse.GetRequiredValue(name), context.Parse.GetRequiredValue(newName), cancellationToken);
            context.Output.Result(clone, "Agent cloned: ");
            return ExitCodes.Ok;
        });
    }

    private static Command CreateDeploys(CommandBinder binder)
    {
        var name = NameArgument();
        var command = new Command("deploys", "Lists an agent's versions, the newest first.") { name };
        command.Aliases.Add("versions");

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            context.Output.List(
                await context.Client.Agents.ListDeploysAsync(context.Parse.GetRequiredValue(name), cancellationToken), Deploys);
            return ExitCodes.Ok;
        });
    }

    private static Command CreateRollback(CommandBinder binder)
    {
        var name = NameArgument();
        var version = new Argument<int>("version") { Description = "The version whose content new sessions get: see ash agent deploys." };
        var command = new Command("rollback", "Makes the content of an earlier version that of the next one.") { name, version };

        return binder.Bind(command, async (context, cancellationToken) =>
        {
            var wanted = context.Parse.GetValue(version);
            var agent = await context.Client.Agents.RollBackAsync(context.Parse.GetRequiredValue(name), wanted, cancellationToken);
            context.Output.Say($"Rolled back agent \"{agent.Name}\" to the content of v{wanted} (now v{agent.Version})");
            context.Output.ResultForPrograms(agent);
            return ExitCodes.Ok;
        });
    }

    private static Command CreateDelete(CommandBinder binder)
    {
        var name = NameArgument();
        return binder.Bind(new Command("delete", "Deletes an agent, and all its sessions.") { name }, async (context, cancellationToken) =>
        {
            var agent = context.Parse.GetRequiredValue(name);
            await context.Client.Agents.DeleteAsync(agent, cancellationToken);
            context.Output.Say($"Deleted agent: {agent}");
            context.Output.ResultForPrograms(new OkEnvelope(Ok: true));
            return ExitCodes.Ok;
        });
    }
}
