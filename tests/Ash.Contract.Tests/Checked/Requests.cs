namespace Ash.Contract.Tests.Checked;

/// <summary>Requests made of an operation's description.</summary>
public static class Requests
{
    /// <summary>Its address, with these for what its parameters name.</summary>
    public static string PathOf(Operation operation, string id, string name) => operation.Path
        .Replace("{id}", id, StringComparison.Ordinal)
        .Replace("{name}", name, StringComparison.Ordinal)
        .Replace("{turnId}", id, StringComparison.Ordinal)
        .Replace("{version}", "1", StringComparison.Ordinal)
        .Replace("{path}", "CLAUDE.md", StringComparison.Ordinal);

    /// <summary>The body that its description gives as an example; null where it takes none.</summary>
    public static string? BodyOf(Operation operation) => operation.Body?.GetProperty("example").GetRawText();
}
