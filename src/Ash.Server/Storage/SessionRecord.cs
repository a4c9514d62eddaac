namespace Ash.Server.Storage;

internal sealed class SessionRecord
{
    public Guid Id { get; set; }
    public required string TenantId { get; set; }
    public Guid AgentId { get; set; }
    public required string AgentName { get; set; }
    public int AgentVersion { get; set; }
    public required string ContentHash { get; set; }
    public SessionStatus Status { get; set; }
    public Guid? ParentSessionId { get; set; }

    /// <summary>Folder below <c>workspaces/</c>; gone once the session's files were removed.</summary>
    public Guid? WorkspaceId { get; set; }

    /// <summary>Host uid of the workspace; free for another once the files are removed. The rows are the allocator.</summary>
    public int? Uid { get; set; }

    /// <summary>The session id that the CLI uses now; <c>/clear</c> changes it.</summary>
    public Guid CliSessionId { get; set; }

    /// <summary>The last turn before the CLI's conversation was cleared; what came before is no longer its history.</summary>
    public Guid? ClearedAtTurn { get; set; }

    public string? Model { get; set; }
    public string? SystemPrompt { get; set; }
    public required string PermissionMode { get; set; }

    /// <summary>JSON of a <see cref="Ash.Server.Sessions.SessionSecrets"/>, sealed, or null.</summary>
    public string? Secrets { get; set; }

    /// <summary>JSON of a <see cref="Ash.Protocol.Api.SessionConfig"/> as it is shown, without secrets, or null.</summary>
    public string? Config { get; set; }

    /// <summary>The tenant's credential that it uses, which may be gone since; null for the server's own model key.</summary>
    public Guid? CredentialId { get; set; }

    /// <summary>Whether the credential is in the sandbox's environment; otherwise the broker alone uses it.</summary>
    public bool ExposesCredential { get; set; }

    public required string Isolation { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset LastActiveAt { get; set; }
    public DateTimeOffset? EndedAt { get; set; }
}

/// <summary>Where a session stands; the names are the contract's.</summary>
internal enum SessionStatus
{
    Starting,
    Active,
    Paused,
    Stopped,
    Error,
    Ended,
}
