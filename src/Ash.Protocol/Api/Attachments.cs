using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

/// <summary>A file that a user gave to a session. Its agent finds a copy in the workspace.</summary>
public sealed record AttachmentInfo
{
    public required Guid Id { get; init; }
    public required string TenantId { get; init; }

    /// <summary>The message that it belongs to, or <c>unlinked</c>.</summary>
    public required string MessageId { get; init; }

    public required Guid SessionId { get; init; }
    public required string Filename { get; init; }
    public required string MimeType { get; init; }

    /// <summary>In bytes.</summary>
    public required long Size { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Where in the workspace its copy was put; null where it could not be.</summary>
    public string? WorkspacePath { get; init; }
}

public sealed record AttachmentEnvelope(AttachmentInfo Attachment);

public sealed record AttachmentListEnvelope(IReadOnlyList<AttachmentInfo> Attachments)
{
    /// <inheritdoc cref="SessionListEnvelope.Total"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Total { get; init; }
}

public sealed record CreateAttachmentRequest
{
    /// <summary>Its last name is used where it has folders.</summary>
    public required string Filename { get; init; }

    /// <summary>Base64.</summary>
    public required string Content { get; init; }

    /// <summary><c>application/octet-stream</c> where absent.</summary>
    public string? MimeType { get; init; }

    public Guid? MessageId { get; init; }
}
