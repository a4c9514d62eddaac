namespace Ash.Server.Storage;

internal sealed class AgentRecord
{
    public Guid Id { get; set; }
    public required string TenantId { get; set; }
    public required string Name { get; set; }

    /// <summary>The deploy that new sessions begin with.</summary>
    public int Version { get; set; }

    public required string ContentHash { get; set; }

    /// <summary>JSON object of strings, sealed, or null.</summary>
    public string? Env { get; set; }

    /// <summary>JSON object, sealed, or null.</summary>
    public string? Config { get; set; }

    /// <summary>The highest number that a prompt version of it ever had.</summary>
    public int LastPromptNumber { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>One deploy; its content never changes.</summary>
internal sealed class AgentVersionRecord
{
    public Guid AgentId { get; set; }
    public int Version { get; set; }
    public required string ContentHash { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
}
