using System.Globalization;

namespace Ash.Server.Broker;

/// <summary>What became of one call of the model.</summary>
/// <param name="SandboxId">Who called.</param>
/// <param name="Handle">What the authority allowed it with.</param>
/// <param name="Operation">What was asked.</param>
/// <param name="Model">The model that answered, as it calls itself; null where none did.</param>
/// <param name="InputTokens">Tokens as the model counted them, caches not included; a call that was cut has what was said until then.</param>
/// <param name="Status">What the sandbox was answered; 499 where it left before the answer.</param>
/// <param name="ErrorCode">Set where the broker itself answered: one of <see cref="BrokerErrorCode"/>.</param>
/// <param name="Attempts">How often the model was asked; 0 where it was not.</param>
/// <param name="IsComplete">Whether the whole answer was passed on.</param>
/// <param name="Duration">From the request's headers to the answer's end.</param>
/// <param name="FirstByte">From the request's headers to the first byte of a successful answer's body.</param>
internal sealed record ModelCall(
    string SandboxId,
    object Handle,
    ModelOperation Operation,
    string? Model,
    long InputTokens,
    long OutputTokens,
    long CacheCreationTokens,
    long CacheReadTokens,
    int Status,
    string? ErrorCode,
    int Attempts,
    bool IsComplete,
    TimeSpan Duration,
    TimeSpan? FirstByte)
{
    /// <summary>Of the body, as far as it was read.</summary>
    public long RequestBytes { get; init; }

    /// <summary>Of the body of a successful answer, as far as it came.</summary>
    public long ResponseBytes { get; init; }

    /// <summary>Tokens that the model read, from caches too.</summary>
    public long AllInputTokens => InputTokens + CacheCreationTokens + CacheReadTokens;

    /// <summary>What went wrong, as a word; null where nothing did.</summary>
    public string? ErrorType => ErrorCode ?? (Status >= 400 ? Status.ToString(CultureInfo.InvariantCulture) : null);
}

internal enum ModelOperation
{
    Messages,
    CountTokens,
}
