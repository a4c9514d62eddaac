using Ash.Server;
using Ash.Simulator;

return args switch
{
    ["simulate", .. var rest] => await SimulateCommand.RunAsync(rest),
    ["--help" or "-h", ..] => ServerCommand.Help(),
    ["--version", ..] => ServerCommand.Version(),
    _ => await ServerCommand.RunAsync(args),
};
