using Ash.Server.Access;
using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Attachments;

/// <summary>The attachment that a route names, if it is the caller's.</summary>
internal readonly record struct AttachmentRoute(AttachmentRecord? Attachment, Problem? Problem)
{
    /// <summary>Another tenant's attachment is as unknown as none.</summary>
    public static async ValueTask<AttachmentRoute> FindAsync(
        HttpContext context, string id, AttachmentDirectory attachments, CancellationToken cancellationToken)
    {
        if (!Guid.TryParseExact(id, "D", out var attachmentId))
        {
            return new AttachmentRoute(null, Problems.IdIsNoUuid);
        }

        return await attachments.FindAsync(context.Caller.TenantId, attachmentId, cancellationToken) is { } attachment
            ? new AttachmentRoute(attachment, null)
            : new AttachmentRoute(null, Problems.UnknownAttachment);
    }
}
