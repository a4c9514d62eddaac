using System.CommandLine;

namespace Ash.Cli.Links;

/// <summary>Commands of the reference for its hosted service, which Ash has none of. They say what to do instead.</summary>
internal static class CloudCommands
{
    public static IEnumerable<Command> Create(CommandBinder binder) =>
    [
        CreateHint(binder, "login", "There is no account to log in to: a server has keys. Use one with: ash link URL --api-key KEY"),
        CreateHint(binder, "logout", "There is no account to log out of. Go back to this machine's server with: ash unlink"),
    ];

    private static Command CreateHint(CommandBinder binder, string name, string hint)
    {
        var command = new Command(name, hint) { Hidden = true, TreatUnmatchedTokensAsErrors = false };
        return binder.Bind(command, (_, _) => throw new CliException(hint, ExitCodes.Usage));
    }
}
