using System.CommandLine;

namespace Ash.Cli.Servers;

/// <summary>Options that several commands about this machine's server share.</summary>
internal static class ServerOptions
{
    public static Option<string?> DataDir() => new("--data-dir")
    {
        Description = "The server's data folder. Otherwise ASH_DATA_DIR, then ~/.ash.",
        HelpName = "folder",
    };
}
