using Ash.Server.Http;

namespace Ash.Server.Sessions;

/// <summary>A message that passed validation.</summary>
/// <param name="Content">A JSON string or array of blocks, compact.</param>
/// <param name="Model">Model of this turn alone, or null.</param>
/// <param name="Options">What else it asks for, or null.</param>
/// <param name="OnBusy">What becomes of it while a turn runs; null leaves that to the agent.</param>
/// <param name="IdempotencyKey">The client's key, or null.</param>
/// <param name="BodyHash">SHA-256 of the request's body.</param>
[GenerateSerializer, Immutable]
internal sealed record SubmitMessage(
    [property: Id(0)] byte[] Content,
    [property: Id(1)] string? Model,
    [property: Id(2)] TurnOptions? Options,
    [property: Id(3)] BusyPolicy? OnBusy,
    [property: Id(4)] string? IdempotencyKey,
    [property: Id(5)] byte[] BodyHash)
{
    /// <summary>How it went.</summary>
    [GenerateSerializer, Immutable]
    internal abstract record Outcome;

    /// <param name="TurnId">The turn that the message starts, or started when it was first sent.</param>
    /// <param name="MessageSeq">Its <c>message</c> row: the turn's stream begins after it.</param>
    [GenerateSerializer, Immutable]
    internal sealed record Accepted([property: Id(0)] Guid TurnId, [property: Id(1)] long MessageSeq) : Outcome;

    [GenerateSerializer, Immutable]
    internal sealed record Refused([property: Id(0)] Problem Problem) : Outcome;
}
