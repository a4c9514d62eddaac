using System.CommandLine;
using Ash.Protocol.Api;

namespace Ash.Cli.Agents;

/// <summary><c>ash agent …</c>.</summary>
internal static class AgentCommands
{
    public static Command Create(CommandBinder binder) => new("agent", "Looks at deployed agents, and deletes them.")
    {
        CreateList(binder),
        CreateInfo(binder),
        CreateDelete(binder),
    };

    private static Command CreateList(CommandBinder binder) =>
        binder.Bind(new Command("list", "Lists all agents."), async (context, cancellationToken) =>
        {
            context.Output.Result(await context.Client.Agents.ListAsync(cancellationToken));
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

    private static Command CreateDelete(CommandBinder binder)
    {
        var name = NameArgument();
        return binder.Bind(new Command("delete", "Deletes an agent.") { name }, async (context, cancellationToken) =>
        {
            var agent = context.Parse.GetRequiredValue(name);
            await context.Client.Agents.DeleteAsync(agent, cancellationToken);
            context.Output.Say($"Deleted agent: {agent}");
            context.Output.ResultForPrograms(new OkEnvelope(Ok: true));
            return ExitCodes.Ok;
        });
    }

    private static Argument<string> NameArgument() => new("name") { Description = "The agent's name." };
}
