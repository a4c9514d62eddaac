using System.CommandLine;

namespace Ash.Cli.Sessions;

/// <summary>The argument that names a session.</summary>
internal static class SessionId
{
    public static Argument<Guid> Argument() => new("id")
    {
        Description = "The session's id.",
        CustomParser = result =>
        {
            if (Guid.TryParse(result.Tokens[0].Value, out var id))
            {
                return id;
            }

            result.AddError($"Not a session's id: \"{result.Tokens[0].Value}\". List sessions with: ash session list");
            return default;
        },
    };
}
