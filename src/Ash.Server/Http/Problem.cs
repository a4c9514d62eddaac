namespace Ash.Server.Http;

/// <summary>A failure that a client can meet: status, a stable word, a sentence that names the remedy.</summary>
[GenerateSerializer, Immutable]
internal sealed record Problem(
    [property: Id(0)] int Status,
    [property: Id(1)] string Code,
    [property: Id(2)] string Message);
