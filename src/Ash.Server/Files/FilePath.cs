using Ash.Runner.Workspaces;
using Ash.Server.Http;

namespace Ash.Server.Files;

/// <summary>The path of a file in a request's address.</summary>
internal static class FilePath
{
    /// <summary>Of <c>api/sessions/ID/files</c>, before it.</summary>
    private const int Segments = 4;

    /// <param name="context">The request.</param>
    /// <param name="path">Normal, and not empty.</param>
    /// <returns>Why it is refused; null where it is not.</returns>
    public static Problem? Read(HttpContext context, out string path)
    {
        // As it was sent: a way out is refused, and not resolved.
        var sent = RouteRest.Of(context, Segments);
        path = string.Empty;
        if (sent.Length == 0)
        {
            return Problems.FilePathRequired;
        }

        if (WorkspacePath.Normalize(sent) is not { } normal)
        {
            return Problems.InvalidFilePath;
        }

        path = normal;
        return normal.Length == 0 ? Problems.NotAFile : null;
    }
}
