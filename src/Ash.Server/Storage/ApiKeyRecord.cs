namespace Ash.Server.Storage;

internal sealed class ApiKeyRecord
{
    public Guid Id { get; set; }
    public required string TenantId { get; set; }
    public required string Label { get; set; }

    /// <summary>SHA-256 of the key, in hexadecimal.</summary>
    public required string KeyHash { get; set; }

    /// <summary>The key's first characters, to tell it from others; null for keys of releases that did not keep them.</summary>
    public string? KeyPrefix { get; set; }

    /// <summary>Words with commas between them; null for all.</summary>
    public string? Scopes { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>From then on nobody gets in with it; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>Up to a minute or so late.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
}
