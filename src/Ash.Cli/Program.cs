using Ash.Cli;

return await AshCli.RunAsync(args, CliHost.OfThisProcess(), CancellationToken.None);
