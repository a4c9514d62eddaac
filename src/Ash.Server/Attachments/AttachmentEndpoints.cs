using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Configuration;
using Ash.Server.Files;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Ash.Server.Storage;

namespace Ash.Server.Attachments;

/// <summary>The HTTP face of attachments: give a session a file, list them, read one, remove one.</summary>
internal static class AttachmentEndpoints
{
    public static void MapAttachments(this IEndpointRouteBuilder routes)
    {
        var attachments = routes.MapGroup("/api").WithTags("attachments").AddEndpointFilter(FileFailures.FilterAsync);

        attachments.MapPost("/sessions/{id}/attachments", AddAsync)
            .WithName("CreateAttachment")
            .WithSummary("Give a session a file; its agent finds a copy in attachments/")
            .Accepts<CreateAttachmentRequest>("application/json")
            .WithBody("The file, of at most ASH_MAX_ATTACHMENT_SIZE bytes.")
            .Produces<AttachmentEnvelope>(StatusCodes.Status201Created)
            .ProducesApiErrors(400, 401, 404, 413, 415);
        attachments.MapGet("/sessions/{id}/attachments", ListAsync)
            .WithName("ListAttachments")
            .WithSummary("List the attachments of a session, oldest first")
            .WithPages()
            .Produces<AttachmentListEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        attachments.MapGet("/attachments/{id}", ReadAsync)
            .WithName("ReadAttachment")
            .WithSummary("Read an attachment")
            .ProducesFile()
            .ProducesApiErrors(400, 401, 404, 416);
        attachments.MapDelete("/attachments/{id}", RemoveAsync)
            .WithName("DeleteAttachment")
            .WithSummary("Remove an attachment, and its copy unless that was changed")
            .Produces<OkEnvelope>()
            .ProducesApiErrors(400, 401, 404);
    }

    private static async Task<IResult> AddAsync(
        HttpContext context,
        string id,
        SessionWorkspaces workspaces,
        AttachmentDirectory attachments,
        AttachmentFiles files,
        ServerSettings settings,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var found = await workspaces.OpenToWriteAsync(context, id, cancellationToken);
        if (found.Problem is { } none)
        {
            return none.ToResult(context);
        }

        using var workspace = found.Workspace!; // No problem: there is one.
        var attachmentId = Guid.CreateVersion7(clock.GetUtcNow());
        await using var file = files.Make(attachmentId);
        var body = await AttachmentBody.ReadAsync(context.Request, file, settings.MaxAttachmentBytes, cancellationToken);
        if (await workspaces.FindObstacleAsync(context, workspace, cancellationToken) is { } late)
        {
            return late.ToResult(context);
        }

        var attachment = new AttachmentRecord
        {
            Id = attachmentId,
            TenantId = context.Caller.TenantId,
            SessionId = workspace.Session.Id,
            MessageId = body.MessageId,
            Filename = body.Filename,
            MimeType = body.MimeType,
            Size = body.Size,

            // As the store keeps it.
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds()),
        };
        return await attachments.AddAsync(attachment, workspace, file)
            ? Results.Json(
                new AttachmentEnvelope(AttachmentDirectory.Describe(attachment)),
                ApiJson.Default.AttachmentEnvelope,
                statusCode: StatusCodes.Status201Created)
            : Problems.SessionIs(SessionStatus.Ended).ToResult(context);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        string id,
        SessionDirectory sessions,
        AttachmentDirectory attachments,
        CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        var wrong = ListPage.Read(context.Request.Query, out var page);
        if ((found.Problem ?? wrong) is { } problem)
        {
            return problem.ToResult(context);
        }

        var listed = await attachments.ListAsync(found.Session!.Id, page, cancellationToken); // No problem: there is one.
        return Results.Json(new AttachmentListEnvelope(listed.Items) { Total = listed.Total }, ApiJson.Default.AttachmentListEnvelope);
    }

    private static async Task<IResult> ReadAsync(
        HttpContext context,
        string id,
        AttachmentDirectory attachments,
        AttachmentFiles files,
        CancellationToken cancellationToken)
    {
        var found = await AttachmentRoute.FindAsync(context, id, attachments, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return unknown.ToResult(context);
        }

        var attachment = found.Attachment!; // No problem: there is one.
        using var file = files.Open(attachment.SessionId, attachment.Id);
        if (file is null)
        {
            return Problems.AttachmentFileGone.ToResult(context);
        }

        var content = new FileContent(file, attachment.Filename, attachment.MimeType);
        if (!content.TryChoose(context, out var problem))
        {
            return problem.ToResult(context);
        }

        await content.SendAsync(context, cancellationToken);
        return Results.Empty;
    }

    private static async Task<IResult> RemoveAsync(
        HttpContext context, string id, AttachmentDirectory attachments, CancellationToken cancellationToken)
    {
        var found = await AttachmentRoute.FindAsync(context, id, attachments, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return unknown.ToResult(context);
        }

        await attachments.RemoveAsync(found.Attachment!, cancellationToken); // No problem: there is one.
        return Answers.Ok();
    }
}
