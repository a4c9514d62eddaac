using System.CommandLine;

namespace Ash.Cli.Servers;

/// <summary><c>ash simulate</c>: becomes <c>ash-server simulate</c>.</summary>
internal static class SimulateCommand
{
    public const string Name = "simulate";

    /// <summary>For the help only: the arguments never come to be parsed.</summary>
    public static Command Create() => new(Name, "Runs a scripted stand-in for the model API. All arguments go to: ash-server simulate")
    {
        new Argument<string[]>("args") { Arity = ArgumentArity.ZeroOrMore },
    };

    public static int Run(CliHost host, IReadOnlyList<string> arguments) =>
        host.Become(ServerProgram.Find(host, [Name, .. arguments]), host.Environment);
}
