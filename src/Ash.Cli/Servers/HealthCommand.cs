using System.CommandLine;

namespace Ash.Cli.Servers;

/// <summary><c>ash health</c>.</summary>
internal static class HealthCommand
{
    public static Command Create(CommandBinder binder) =>
        binder.Bind(new Command("health", "Shows what the server says about itself."), async (context, cancellationToken) =>
        {
            context.Output.Result(await context.Client.GetHealthAsync(cancellationToken));
            return ExitCodes.Ok;
        });
}
