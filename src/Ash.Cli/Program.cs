using Ash.Cli;

using var interrupts = Interrupts.OfThisProcess();
return await AshCli.RunAsync(args, CliHost.OfThisProcess(interrupts), interrupts.Token);
