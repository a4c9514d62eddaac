using Ash.Runner.Workspaces;
using Ash.Server.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ash.Server.Files;

/// <summary>The path of a file in a request's address.</summary>
internal static class FilePath
{
    private const string Before = "/files/";

    /// <param name="routed">As routing has it: with its dots resolved, and <c>%2F</c> left as it is.</param>
    /// <param name="path">Normal, and not empty.</param>
    /// <returns>Why it is refused; null where it is not.</returns>
    public static Problem? Read(HttpContext context, string? routed, out string path)
    {
        var sent = AsSent(context) ?? routed ?? string.Empty;
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

    /// <summary>What the client wrote, so that a way out is refused and not resolved, and any name can be named.</summary>
    private static string? AsSent(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? string.Empty;
        if (!target.StartsWith('/') || target.IndexOf(Before, StringComparison.Ordinal) is not (>= 0 and var start))
        {
            return null;
        }

        var end = target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? query : target.Length;
        return end > start ? Uri.UnescapeDataString(target[(start + Before.Length)..end]) : null;
    }
}
