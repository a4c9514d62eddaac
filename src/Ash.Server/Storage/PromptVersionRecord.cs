namespace Ash.Server.Storage;

/// <summary>A numbered system prompt of an agent.</summary>
internal sealed class PromptVersionRecord
{
    public Guid Id { get; set; }
    public Guid AgentId { get; set; }
    public int Number { get; set; }
    public required string Name { get; set; }
    public string? SystemPrompt { get; set; }
    public string? ReleaseNotes { get; set; }
    public bool IsActive { get; set; }

    /// <summary>JSON array of strings, or null.</summary>
    public string? KnowledgeFiles { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
}
