using System.CommandLine;

namespace Ash.Cli;

/// <summary>Ties a command to what it does.</summary>
internal sealed class CommandBinder(CliHost host, GlobalOptions options)
{
    public GlobalOptions Options => options;

    public Command Bind(Command command, Func<CommandContext, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var context = new CommandContext(host, options, parse);
            return await Failures.GuardAsync(context, () => run(context, cancellationToken));
        });
        return command;
    }
}
