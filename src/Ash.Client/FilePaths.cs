namespace Ash.Client;

/// <summary>Where the files of a session are found.</summary>
internal static class FilePaths
{
    public static string All(Guid session) => $"{SessionPaths.One(session)}/files";

    /// <exception cref="ArgumentException">The path leads out of the workspace, or names no file.</exception>
    public static string One(Guid session, string path) => $"{All(session)}/{Escape(path)}";

    /// <summary>A path of a file as the part of an address.</summary>
    /// <exception cref="ArgumentException">It leads out of the folder that it begins in, or names no file.</exception>
    public static string Escape(string path)
    {
        var names = path.Split('/').Where(name => name is not ("" or ".")).ToArray();

        // An address with such a name would be that of something else.
        if (names.Length == 0 || names.Contains("..") || path.StartsWith('/'))
        {
            throw new ArgumentException($"Not a path of a file: {path}", nameof(path));
        }

        return string.Join('/', names.Select(Uri.EscapeDataString));
    }

    public static string Workspace(Guid session) => $"{SessionPaths.One(session)}/workspace";

    public static string Attachments(Guid session) => $"{SessionPaths.One(session)}/attachments";

    public static string Attachment(Guid id) => $"api/attachments/{id}";
}
