using Ash.Server.Http;

namespace Ash.Server.Access;

/// <summary>Scopes as they are written: words in a request, words with commas between them in the store.</summary>
internal static class Scopes
{
    private static readonly string[] Words = ["read", "write", "admin"];

    public static string NameOf(AccessScope scope) => Words[(int)scope];

    /// <param name="stored">Null for all.</param>
    public static IReadOnlyList<string> List(string? stored) => stored?.Split(',') ?? Words;

    /// <summary>The one that holds all the others of a list.</summary>
    /// <inheritdoc cref="List"/>
    public static AccessScope HighestOf(string? stored) =>
        List(stored).Max(static word => (AccessScope)Array.IndexOf(Words, word));

    /// <returns>Why a caller cannot make a key with these; null where it can.</returns>
    public static Problem? Check(IReadOnlyList<string>? scopes, AccessScope callers)
    {
        if (scopes is { Count: 0 } || scopes?.Any(static word => !Words.Contains(word)) == true)
        {
            return Problems.Invalid($"scopes must be one or more of {string.Join(", ", Words)}; leave it out for all");
        }

        return HighestOf(ToStored(scopes)) is var highest && highest > callers ? Problems.Forbidden(highest, callers) : null;
    }

    /// <param name="scopes">Checked; null for all.</param>
    public static string? ToStored(IReadOnlyList<string>? scopes) =>
        scopes is null ? null : string.Join(',', Words.Where(scopes.Contains));
}
