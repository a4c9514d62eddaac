namespace Ash.Server.Storage;

/// <summary>A secret of a tenant, sealed: without the server's key the row tells nothing of it but its length.</summary>
internal sealed class CredentialRecord
{
    public Guid Id { get; set; }
    public required string TenantId { get; set; }

    /// <summary><c>anthropic</c>, <c>openai</c>, <c>bedrock</c> or <c>custom</c>.</summary>
    public required string Type { get; set; }

    public required string Label { get; set; }

    /// <summary>Which of the server's keys it is sealed with.</summary>
    public required string KeyId { get; set; }

    /// <summary>Used once, for this row with this key.</summary>
    public required byte[] Nonce { get; set; }

    /// <summary>The ciphertext, and the tag behind it.</summary>
    public required byte[] Sealed { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>Up to a minute or so late.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
}
