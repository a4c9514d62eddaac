namespace Ash.Server.Http;

/// <summary>A failure that a client can meet: status, a stable word, a sentence that names the remedy.</summary>
[GenerateSerializer, Immutable]
internal sealed record Problem(
    [property: Id(0)] int Status,
    [property: Id(1)] string Code,
    [property: Id(2)] string Message)
{
    /// <summary>The sentence, where the contract wants a mere heading in the place of one.</summary>
    [Id(3)]
    public string? Detail { get; init; }

    /// <summary>When another try may succeed, where that is known.</summary>
    [Id(4)]
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Whether what is unavailable comes back by itself.</summary>
    [Id(5)]
    public bool Passes { get; init; } = true;
}
