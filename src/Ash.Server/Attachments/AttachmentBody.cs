using System.Buffers;
using Ash.Server.Http;
using Microsoft.Net.Http.Headers;

namespace Ash.Server.Attachments;

/// <summary>The body of a request that attaches a file: read as it arrives, its bytes into a file.</summary>
internal sealed record AttachmentBody(string Filename, string MimeType, Guid? MessageId, long Size)
{
    private const string AnyType = "application/octet-stream";
    private const int MaxNameBytes = 4096;
    private const int MaxTypeBytes = 255;
    private const int MaxIdBytes = 64;
    private const int BufferBytes = 64 * 1024;

    private static readonly string[] Fields = ["filename", "content", "mimeType", "messageId"];

    /// <param name="file">Gets the bytes.</param>
    /// <param name="maxBytes">So many may they be.</param>
    /// <exception cref="RefusedRequestException">It is not as it should be.</exception>
    public static async Task<AttachmentBody> ReadAsync(
        HttpRequest request, FileStream file, long maxBytes, CancellationToken cancellationToken)
    {
        // Base64 has four letters for three bytes, some JSON has escapes and line ends in them, and there are the other fields.
        var maxBody = (maxBytes * 2) + (64 * 1024);
        if (request.ContentLength > maxBody)
        {
            throw new RefusedRequestException(Problems.AttachmentTooLarge(maxBytes));
        }

        using var body = await JsonBodyReader.BeginAsync(request, maxBody, cancellationToken);
        string? filename = null;
        string? mimeType = null;
        Guid? messageId = null;
        long? size = null;
        await body.ReadObjectAsync(
            "body",
            Fields,
            async field =>
            {
                switch (field)
                {
                    case "filename":
                        filename = await body.ReadStringAsync("body/filename", MaxNameBytes, cancellationToken);
                        break;
                    case "mimeType":
                        mimeType = await body.ReadOptionalStringAsync("body/mimeType", MaxTypeBytes, cancellationToken);
                        break;
                    case "messageId":
                        messageId = Parse(await body.ReadOptionalStringAsync("body/messageId", MaxIdBytes, cancellationToken));
                        break;
                    case var _ when size is not null:
                        throw new RefusedRequestException("body has more than one content");
                    default:
                        await using (var content = await body.BeginBase64Async("body/content", cancellationToken))
                        {
                            size = await CopyAsync(content, file, maxBytes, cancellationToken);
                        }

                        break;
                }
            },
            cancellationToken);
        await body.EndAsync(cancellationToken);

        var name = AttachmentName.Of(filename switch
        {
            null => throw new RefusedRequestException("body must have required property 'filename'"),
            "" => throw new RefusedRequestException("body/filename must NOT have fewer than 1 characters"),
            _ => filename,
        });
        return new AttachmentBody(
            name ?? throw new RefusedRequestException("body/filename must have a name of at most 255 bytes"),
            mimeType is null or "" ? AnyType : Check(mimeType),
            messageId,
            size switch
            {
                null => throw new RefusedRequestException("body must have required property 'content'"),
                0 => throw new RefusedRequestException(Problems.EmptyAttachment),
                { } bytes => bytes,
            });
    }

    private static async Task<long> CopyAsync(
        Base64Content content, FileStream file, long maxBytes, CancellationToken cancellationToken)
    {
        var size = 0L;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
            {
                size += read;
                if (size > maxBytes)
                {
                    throw new RefusedRequestException(Problems.AttachmentTooLarge(maxBytes));
                }

                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }

            return size;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Guid? Parse(string? messageId) =>
        messageId is null ? null
        : Guid.TryParseExact(messageId, "D", out var id) ? id
        : throw new RefusedRequestException("body/messageId must match format \"uuid\"");

    /// <summary>It is sent as a header one day.</summary>
    private static string Check(string mimeType) =>
        mimeType.All(letter => letter is >= ' ' and <= '~') && MediaTypeHeaderValue.TryParse(mimeType, out _)
            ? mimeType
            : throw new RefusedRequestException("body/mimeType must be a media type, such as text/plain");
}
