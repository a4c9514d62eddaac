using System.CommandLine;

namespace Ash.Cli;

/// <summary>The options of every command.</summary>
internal sealed class GlobalOptions
{
    public Option<string?> Server { get; } = new("--server")
    {
        Description = "The server's URL. Otherwise ASH_SERVER_URL, then the linked server, then http://localhost:4100.",
        HelpName = "url",
        Recursive = true,
    };

    public Option<string?> ApiKey { get; } = new("--api-key")
    {
        Description = "The API key. Otherwise ASH_API_KEY, then the key in ~/.ash/config.json.",
        HelpName = "key",
        Recursive = true,
    };

    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Output for programs: one JSON value a line.",
        Recursive = true,
    };
}
