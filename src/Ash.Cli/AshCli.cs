using System.CommandLine;
using System.CommandLine.Help;
using Ash.Cli.Access;
using Ash.Cli.Agents;
using Ash.Cli.Credentials;
using Ash.Cli.Links;
using Ash.Cli.Servers;
using Ash.Cli.Sessions;

namespace Ash.Cli;

/// <summary>The <c>ash</c> command.</summary>
internal static class AshCli
{
    // Long enough for a turn to be interrupted after Ctrl-C.
    private static readonly TimeSpan TerminationTime = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellationToken)
    {
        if (args is [SimulateCommand.Name, .. var rest])
        {
            // All that follows is the server's to read, options that look like ours included.
            return Failures.Guard(host, () => SimulateCommand.Run(host, rest));
        }

        if (args is [])
        {
            args = ["--help"];
        }

        // Without a replacer a message may begin with '@'.
        var parse = Create(host).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

        if (parse.Errors.Count > 0 && parse.Action is not HelpAction)
        {
            return Failures.Usage(host, parse);
        }

        var invocation = new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TerminationTime,
        };
        return await parse.InvokeAsync(invocation, cancellationToken);
    }

    private static RootCommand Create(CliHost host)
    {
        var options = new GlobalOptions();
        var binder = new CommandBinder(host, options);

        return new RootCommand("Deploys Claude agent folders to an Ash server, and talks to the agents.")
        {
            options.Server,
            options.ApiKey,
            options.Json,

            StartCommand.Create(binder),
            StopCommand.Create(binder),
            StatusCommand.Create(binder),
            LogsCommand.Create(binder),
            HealthCommand.Create(binder),
            DeployCommand.Create(binder),
            AgentCommands.Create(binder),
            SessionCommands.Create(binder),
            KeyCommands.Create(binder),
            CredentialCommands.Create(binder),
            LinkCommands.CreateLink(binder),
            LinkCommands.CreateUnlink(binder),
            SimulateCommand.Create(),
        };
    }
}
