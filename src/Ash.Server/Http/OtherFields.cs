namespace Ash.Server.Http;

/// <summary>What a request's body may hold beside the fields of its type. Anything else is refused, so that a typing error is not silent.</summary>
internal sealed record OtherFields
{
    public static OtherFields None { get; } = new();

    /// <summary>Known clients send them, and they never had an effect.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];
}
