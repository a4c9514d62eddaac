using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

/// <summary>A numbered system prompt of an agent (contract 1.2). The active one takes the place of <c>CLAUDE.md</c> in new sessions.</summary>
public record PromptVersionInfo
{
    public required Guid Id { get; init; }
    public required string TenantId { get; init; }
    public required string AgentName { get; init; }

    /// <summary>One more than the highest before; one of a deleted version is not given again.</summary>
    public required int VersionNumber { get; init; }

    public required string Name { get; init; }

    /// <summary>Null leaves <c>CLAUDE.md</c> in its place.</summary>
    public required string? SystemPrompt { get; init; }

    public required string? ReleaseNotes { get; init; }

    /// <summary>At most one of an agent's is.</summary>
    public required bool IsActive { get; init; }

    /// <summary>Names for people to read; they have no effect.</summary>
    public required IReadOnlyList<string>? KnowledgeFiles { get; init; }

    public required string? CreatedBy { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A version, and its fields beside it once more: some clients of the reference look for them there (contract 11.1).</summary>
[method: SetsRequiredMembers]
public sealed record PromptVersionEnvelope(PromptVersionInfo Version) : PromptVersionInfo(Version);

public sealed record PromptVersionListEnvelope(IReadOnlyList<PromptVersionInfo> Versions)
{
    /// <inheritdoc cref="SessionListEnvelope.Total"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Total { get; init; }
}

/// <summary>Fields of a prompt version; of a change, those that are absent stay as they are.</summary>
public sealed record PromptVersionRequest
{
    /// <summary>At most 255 characters; <c>v</c> and the number where absent.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Name { get; init; }

    /// <summary>At most 1,000,000 characters.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SystemPrompt { get; init; }

    /// <summary>At most 10,000 characters.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReleaseNotes { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? KnowledgeFiles { get; init; }

    /// <summary>Number or id of the version from which an absent prompt and absent knowledge files are taken; not of a change.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? CloneFrom { get; init; }
}

public sealed record ActivatedEnvelope(bool Activated, int VersionNumber);
