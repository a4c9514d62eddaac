using Ash.Server;
using Ash.Simulator;

return args switch
{
    ["simulate", .. var rest] => await SimulateCommand.RunAsync(rest),
    _ when args.Contains("--help") || args.Contains("-h") => ServerCommand.Help(),
    _ when args.Contains("--version") => ServerCommand.Version(),
    _ => await ServerCommand.RunAsync(args),
};
