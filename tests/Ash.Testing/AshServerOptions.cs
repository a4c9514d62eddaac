namespace Ash.Testing;

public sealed record AshServerOptions
{
    /// <summary>The program; the published server where it is null.</summary>
    public string? Program { get; init; }

    /// <summary>The data folder; one of its own where it is null. Removed with the server in either case.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Environment over the fixture's own; a null value takes one of those away.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();
}
