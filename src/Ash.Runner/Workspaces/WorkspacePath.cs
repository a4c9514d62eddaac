using System.Text;

namespace Ash.Runner.Workspaces;

/// <summary>What files of a workspace are called outside: names separated by slashes, going down only.</summary>
internal static class WorkspacePath
{
    /// <summary>So deep may a file lie, its own name included.</summary>
    public const int MaxDepth = 256;

    // What the kernel takes, the final NUL included in neither.
    private const int MaxNameBytes = 255;
    private const int MaxBytes = 4095;

    /// <summary>The path without what adds nothing to it (<c>./</c>, <c>//</c>); empty for the workspace itself.</summary>
    /// <returns>Null where it leads out, or is longer or deeper than a path may be.</returns>
    public static string? Normalize(string path)
    {
        if (path.StartsWith('/') || path.Contains('\0') || Encoding.UTF8.GetByteCount(path) > MaxBytes)
        {
            return null;
        }

        var names = path.Split('/').Where(name => name is not ("" or ".")).ToArray();
        return names.Length <= MaxDepth && Array.TrueForAll(names, IsName) ? string.Join('/', names) : null;
    }

    /// <summary>The folder that a file is in, empty for the workspace itself, and its name there.</summary>
    /// <param name="path">Normal, and not empty.</param>
    public static (string Folder, string Name) Split(string path) =>
        path.LastIndexOf('/') is >= 0 and var end ? (path[..end], path[(end + 1)..]) : (string.Empty, path);

    /// <summary>The first of a path's names.</summary>
    public static string FirstName(string path) =>
        path.IndexOf('/', StringComparison.Ordinal) is >= 0 and var end ? path[..end] : path;

    /// <summary>The path of an entry of a folder.</summary>
    public static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";

    private static bool IsName(string name) => name != ".." && Encoding.UTF8.GetByteCount(name) <= MaxNameBytes;
}
