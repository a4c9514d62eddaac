using System.Text;

namespace Ash.Server.Tests.Access;

/// <summary>Looks for a text that should be nowhere.</summary>
internal static class Canary
{
    /// <summary>The files below a folder that hold the text, the database and its log among them.</summary>
    public static IReadOnlyList<string> FilesWith(string folder, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(path => Read(path).AsSpan().IndexOf(bytes) >= 0)];
    }

    private static byte[] Read(string path)
    {
        if (path.EndsWith(".sock", StringComparison.Ordinal) || Path.GetFileName(path) == "lock")
        {
            return [];
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return bytes;
    }
}
