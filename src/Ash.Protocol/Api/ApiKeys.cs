using System.Text;
using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

/// <summary>An API key, without its text.</summary>
public sealed record ApiKeyInfo
{
    /// <summary>A UUID; <c>env</c> for the key that the server was started with.</summary>
    public required string Id { get; init; }

    public required string Label { get; init; }

    /// <summary>Its first 8 characters and <c>••••</c>; dots alone where they are not known or would say too much.</summary>
    public required string KeyPrefix { get; init; }

    /// <summary>ISO 8601; empty for the key that the server was started with.</summary>
    public required string CreatedAt { get; init; }

    /// <summary>Of <c>read</c>, <c>write</c> and <c>admin</c>; each holds the ones before it.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>From then on it lets nobody in; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it last let somebody in; null where it never did, or where that is not kept.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }
}

public sealed record ApiKeyListEnvelope(IReadOnlyList<ApiKeyInfo> Keys)
{
    /// <inheritdoc cref="SessionListEnvelope.Total"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Total { get; init; }
}

public sealed record CreateApiKeyRequest
{
    /// <summary>For people; <c>dashboard-key</c> where absent.</summary>
    public string? Label { get; init; }

    /// <summary><c>read</c>, <c>write</c> (everything but keys and credentials) or <c>admin</c>; all where absent.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>From then on the key lets nobody in; never where absent.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>What is to change of a key.</summary>
public sealed record UpdateApiKeyRequest
{
    /// <summary>For people.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Label { get; init; }

    /// <summary>Of <c>read</c>, <c>write</c> and <c>admin</c>: what it may do from now on.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>From then on the key lets nobody in. An end can be moved, not taken away.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? ExpiresAt { get; init; }
}

public sealed record ApiKeyEnvelope(ApiKeyInfo ApiKey);

/// <param name="Id">The key's id.</param>
/// <param name="Key">Its text, which is told here and never again.</param>
public sealed record CreatedApiKey(Guid Id, string Key)
{
    private bool PrintMembers(StringBuilder text)
    {
        text.Append($"Id = {Id}");
        return true;
    }
}

public sealed record CreateTenantApiKeyRequest
{
    /// <summary>Whose key it is; the tenant is there with its first key.</summary>
    public string? TenantId { get; init; }

    /// <summary>For people; <c>platform-</c> and the tenant where absent.</summary>
    public string? Label { get; init; }

    /// <inheritdoc cref="CreateApiKeyRequest.Scopes"/>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <inheritdoc cref="CreateApiKeyRequest.ExpiresAt"/>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <param name="Id">The key's id.</param>
/// <param name="Key">Its text, which is told here and never again.</param>
/// <param name="TenantId">Whose key it is.</param>
public sealed record CreatedTenantApiKey(Guid Id, string Key, string TenantId)
{
    private bool PrintMembers(StringBuilder text)
    {
        text.Append($"Id = {Id}, TenantId = {TenantId}");
        return true;
    }
}
