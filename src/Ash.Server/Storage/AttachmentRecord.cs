namespace Ash.Server.Storage;

/// <summary>A file that a user gave to a session; its bytes are in <c>attachments/&lt;session&gt;/&lt;id&gt;</c>.</summary>
internal sealed class AttachmentRecord
{
    public Guid Id { get; set; }
    public required string TenantId { get; set; }
    public Guid SessionId { get; set; }

    /// <summary>The message that it belongs to; null for none.</summary>
    public Guid? MessageId { get; set; }

    public required string Filename { get; set; }
    public required string MimeType { get; set; }
    public long Size { get; set; }

    /// <summary>Where in the workspace its copy was put; null where it could not be.</summary>
    public string? WorkspacePath { get; set; }

    /// <summary>Also when the copy in the workspace was last changed, while it is as it was put there.</summary>
    public DateTimeOffset CreatedAt { get; set; }
}
