namespace Ash.Server.Storage;

internal sealed class ApiKeyRecord
{
    public Guid Id { get; set; }
    public required string TenantId { get; set; }
    public required string Label { get; set; }

    /// <summary>SHA-256 of the key, in hexadecimal.</summary>
    public required string KeyHash { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
}
