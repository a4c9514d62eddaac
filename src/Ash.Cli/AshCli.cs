using System.CommandLine;
using System.CommandLine.Help;
using Ash.Cli.Access;
using Ash.Cli.Agents;
using Ash.Cli.Chat;
using Ash.Cli.Completion;
using Ash.Cli.Configuration;
using Ash.Cli.Credentials;
using Ash.Cli.Links;
using Ash.Cli.Servers;
using Ash.Cli.Sessions;

namespace Ash.Cli;

/// <summary>The <c>ash</c> command.</summary>
internal static class AshCli
{
    private static readonly string[] Examples =
    [
        "ash start                               starts a server on this machine",
        "ash deploy ./greeter                    deploys a folder with a CLAUDE.md",
        "ash chat greeter                        talks with it",
        "ash session list --agent greeter        its sessions; --json for programs",
        "eval \"$(ash completion bash)\"           completion in this shell",
    ];

    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellationToken)
    {
        if (args is [SimulateCommand.Name, .. var rest])
        {
            // All that follows is the server's to read, options that look like ours included.
            return Failures.Guard(host, () => SimulateCommand.Run(host, rest));
        }

        if (args is [CompleteCommand.Name, .. var words])
        {
            foreach (var offered in CompleteCommand.Complete(Create(host), words))
            {
                await host.Out.WriteLineAsync(offered);
            }

            return ExitCodes.Ok;
        }

        if (args is [])
        {
            args = ["--help"];
        }

        // Without a replacer a message may begin with '@'.
        var parse = Create(host).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

        if (parse.Errors.Count > 0 && parse.Action is not ExamplesHelp)
        {
            return Failures.Usage(host, parse);
        }

        var invocation = new InvocationConfiguration
        {
            Output = host.Out,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            // Ctrl-C is looked after by Interrupts.
            ProcessTerminationTimeout = null,
        };
        return await parse.InvokeAsync(invocation, cancellationToken);
    }

    /// <summary>All commands.</summary>
    public static RootCommand Create(CliHost host)
    {
        var options = new GlobalOptions();
        var binder = new CommandBinder(host, options);

        var root = new RootCommand("Deploys Claude agent folders to an Ash server, and talks to the agents.")
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
            ChatCommand.Create(binder),
            AgentCommands.Create(binder),
            SessionCommands.Create(binder),
            KeyCommands.Create(binder),
            CredentialCommands.Create(binder),
            LinkCommands.CreateLink(binder),
            LinkCommands.CreateUnlink(binder),
            ConfigCommands.Create(binder),
            CompletionCommand.Create(binder),
            SimulateCommand.Create(),
        };

        foreach (var hint in CloudCommands.Create(binder))
        {
            root.Add(hint);
        }

        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new ExamplesHelp((HelpAction)help.Action!, Examples); // A help option has one.
        return root;
    }
}
