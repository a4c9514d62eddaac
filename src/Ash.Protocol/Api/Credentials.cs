using System.Text;
using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

/// <summary>A secret that sessions of its tenant may use. It goes in and never comes out again.</summary>
public sealed record CredentialInfo
{
    public required Guid Id { get; init; }

    /// <summary><c>anthropic</c>, <c>openai</c>, <c>bedrock</c> or <c>custom</c>.</summary>
    public required string Type { get; init; }

    public required string Label { get; init; }

    /// <summary>Always true.</summary>
    public required bool Active { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>As it is listed.</summary>
public sealed record ListedCredential
{
    /// <inheritdoc cref="CredentialInfo.Id"/>
    public required Guid Id { get; init; }

    /// <inheritdoc cref="CredentialInfo.Type"/>
    public required string Type { get; init; }

    public required string Label { get; init; }

    /// <inheritdoc cref="CredentialInfo.Active"/>
    public required bool Active { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When a session last used it; null where none has.</summary>
    public required DateTimeOffset? LastUsedAt { get; init; }
}

public sealed record CredentialEnvelope(CredentialInfo Credential);

public sealed record CredentialListEnvelope(IReadOnlyList<ListedCredential> Credentials)
{
    /// <inheritdoc cref="SessionListEnvelope.Total"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Total { get; init; }
}

/// <summary>What is to change of a credential.</summary>
public sealed record UpdateCredentialRequest
{
    /// <summary>The secret that takes the place of the one there; of the same type. Sessions use it from their next model call or sandbox.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    /// <inheritdoc cref="CreateCredentialRequest.Label"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Label { get; init; }

    private bool PrintMembers(StringBuilder text)
    {
        text.Append($"Label = {Label}");
        return true;
    }
}

public sealed record CreateCredentialRequest
{
    /// <inheritdoc cref="CredentialInfo.Type"/>
    public required string Type { get; init; }

    /// <summary>The secret; for <c>bedrock</c> JSON: <c>{"accessKeyId","secretAccessKey","region","sessionToken"?}</c>.</summary>
    public required string Key { get; init; }

    /// <summary>For people; empty where absent.</summary>
    public string? Label { get; init; }

    private bool PrintMembers(StringBuilder text)
    {
        text.Append($"Type = {Type}, Label = {Label}");
        return true;
    }
}
