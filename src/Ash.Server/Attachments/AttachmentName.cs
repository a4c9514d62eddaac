using System.Text;

namespace Ash.Server.Attachments;

/// <summary>What attachments are called, and where in a workspace their copies go.</summary>
internal static class AttachmentName
{
    private const string Folder = "attachments";
    private const int MaxBytes = 255;

    /// <summary>The last name of what the client calls it (contract 3.6).</summary>
    /// <returns>Null where it is longer than a name may be.</returns>
    public static string? Of(string filename)
    {
        var name = filename.Replace("\0", string.Empty, StringComparison.Ordinal).TrimEnd('/');
        name = name[(name.LastIndexOf('/') + 1)..];
        return name is "" or "." or ".." ? "unnamed" : Encoding.UTF8.GetByteCount(name) <= MaxBytes ? name : null;
    }

    /// <summary>Where its copy may go, one place after the other: <c>attachments/a.txt</c>, <c>attachments/a (2).txt</c>
    /// …</summary>
    public static IEnumerable<string> Places(string name)
    {
        yield return $"{Folder}/{name}";
        var ending = Path.GetExtension(name);
        var stem = ending.Length < name.Length ? name[..^ending.Length] : name;
        ending = name[stem.Length..];
        for (var number = 2; ; number++)
        {
            yield return $"{Folder}/{stem} ({number}){ending}";
        }
    }
}
