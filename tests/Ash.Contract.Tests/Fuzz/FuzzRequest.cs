using Ash.Contract.Tests.Checked;

namespace Ash.Contract.Tests.Fuzz;

/// <summary>A request that may be wrong in any part.</summary>
/// <param name="Operation">The operation that it was made of.</param>
/// <param name="Method">As sent.</param>
/// <param name="Path">Path and query, as sent.</param>
/// <param name="Body">The bytes; null for none.</param>
/// <param name="Headers">As sent; Content-Type among them where there is a body.</param>
/// <param name="IsAtHome">Its method and path are those of the operation, so that the answer must be one of the operation's.</param>
internal sealed record FuzzRequest(
    Operation Operation, string Method, string Path, byte[]? Body, IReadOnlyList<(string Name, string Value)> Headers, bool IsAtHome)
{
    private const int Shown = 300;

    public override string ToString()
    {
        var body = Body is null ? "" : System.Text.Encoding.Latin1.GetString(Body, 0, Math.Min(Body.Length, Shown));
        return $"{Method} {Cut(Path)} [{string.Join("; ", Headers.Select(header => $"{header.Name}: {Cut(header.Value)}"))}] {Body?.Length} {body}";
    }

    private static string Cut(string text) => text.Length > Shown ? text[..Shown] + "…" : text;
}
