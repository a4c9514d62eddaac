using System.CommandLine;
using System.CommandLine.Parsing;

namespace Ash.Cli.Sessions;

/// <summary>What names a session.</summary>
internal static class SessionId
{
    public static Argument<Guid> Argument() => new("id")
    {
        Description = "The session's id.",
        CustomParser = result => Parse(result) ?? default,
    };

    public static Option<Guid?> Option() => new("--session-id", "-s", "--session")
    {
        Description = "The session to go on with.",
        HelpName = "id",
        CustomParser = Parse,
    };

    private static Guid? Parse(ArgumentResult result)
    {
        if (Guid.TryParse(result.Tokens[0].Value, out var id))
        {
            return id;
        }

        result.AddError($"Not a session's id: \"{result.Tokens[0].Value}\". List sessions with: ash session list");
        return null;
    }
}
