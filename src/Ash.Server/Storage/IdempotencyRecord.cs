namespace Ash.Server.Storage;

/// <summary>Remembers what a request with an <c>Idempotency-Key</c> made, written with it in one transaction.</summary>
internal sealed class IdempotencyRecord
{
    public required string TenantId { get; set; }

    /// <summary>The session's id, or <c>create</c>.</summary>
    public required string Scope { get; set; }

    public required string Key { get; set; }

    /// <summary>SHA-256 of the request's body.</summary>
    public required byte[] BodyHash { get; set; }

    /// <summary>The session or turn that was made.</summary>
    public Guid TargetId { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>Whether it was sent with the same body.</summary>
    public bool IsOf(byte[] bodyHash) => BodyHash.AsSpan().SequenceEqual(bodyHash);
}
