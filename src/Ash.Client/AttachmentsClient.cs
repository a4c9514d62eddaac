using System.Text.Json;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>Files that users give to sessions.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses (404 where there is no such session or attachment)
/// and <see cref="AshConnectionException"/> where none answers.
/// </remarks>
public sealed class AttachmentsClient
{
    private readonly ApiConnection _connection;

    internal AttachmentsClient(ApiConnection connection) => _connection = connection;

    /// <summary>Gives a session a file, as it is read. Its agent finds a copy at <see
    /// cref="AttachmentInfo.WorkspacePath"/>.</summary>
    /// <param name="content">Read from where it is to its end.</param>
    /// <param name="mimeType">What it is; unknown where null.</param>
    /// <param name="messageId">The message that it belongs to; none where null.</param>
    public async Task<AttachmentInfo> AddAsync(
        Guid session,
        string filename,
        Stream content,
        string? mimeType = null,
        Guid? messageId = null,
        CancellationToken cancellationToken = default)
    {
        var request = new CreateAttachmentRequest
        {
            Filename = filename,
            Content = string.Empty,
            MimeType = mimeType,
            MessageId = messageId,
        };
        var json = JsonSerializer.SerializeToElement(request, ApiJson.Default.CreateAttachmentRequest);

        // All of the request but its content, which comes last.
        using var fields = new MemoryStream();
        using (var writer = new Utf8JsonWriter(fields))
        {
            writer.WriteStartObject();

            foreach (var field in json.EnumerateObject().Where(field => field.Name != "content"))
            {
                field.WriteTo(writer);
            }

            writer.WritePropertyName("content");
            writer.WriteStringValue(string.Empty);
            writer.WriteEndObject();
        }

        using var body = new Base64JsonContent(fields.ToArray()[..^2], content, "\"}"u8.ToArray());
        var answer = await _connection
            .UploadAsync(FilePaths.Attachments(session), body, ApiJson.Default.AttachmentEnvelope, cancellationToken)
            .ConfigureAwait(false);
        return answer.Attachment;
    }

    /// <summary>A session's attachments, the oldest first.</summary>
    public async Task<IReadOnlyList<AttachmentInfo>> ListAsync(Guid session, CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(
                HttpMethod.Get,
                FilePaths.Attachments(session),
                ApiJson.Default.AttachmentListEnvelope,
                cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Attachments;
    }

    /// <summary>Opens an attachment's bytes.</summary>
    public Task<FileDownload> OpenAsync(Guid id, CancellationToken cancellationToken = default) =>
        _connection.DownloadAsync(FilePaths.Attachment(id), range: null, cancellationToken);

    /// <summary>Removes an attachment, and its copy in the workspace unless that was changed.</summary>
    public Task DeleteAsync(Guid id, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(HttpMethod.Delete, FilePaths.Attachment(id), cancellationToken);
}
