using System.Buffers;
using Ash.Protocol.Api;
using Ash.Runner.Workspaces;
using Ash.Server.Http;

namespace Ash.Server.Files;

/// <summary>Files that a request writes: made ready while its body is read, and put in their places once all of it was
/// good.</summary>
internal sealed class FileBatch(StagingFolder staging)
{
    private const int MaxFiles = 500;
    private const int MaxPathBytes = 8192;
    private const int MaxTypeBytes = 1024;
    private const long MaxFileBytes = 52_428_800;
    private const long MaxBatchBytes = 104_857_600;
    private const int BufferBytes = 64 * 1024;

    private static readonly string[] Fields = ["files", "targetPath"];
    private static readonly string[] FileFields = ["path", "content", "mimeType"];

    private readonly List<Pending> _files = [];
    private string _target = ".";
    private long _bytes;

    /// <exception cref="RefusedRequestException">The body is not as it should be; nothing is written.</exception>
    public async Task ReadAsync(JsonBodyReader body, CancellationToken cancellationToken)
    {
        var isThere = false;
        await body.ReadObjectAsync(
            "body",
            Fields,
            async field =>
            {
                if (field == "targetPath")
                {
                    _target = await body.ReadOptionalStringAsync("body/targetPath", MaxPathBytes, cancellationToken) ?? ".";
                    return;
                }

                isThere = !isThere ? true : throw new RefusedRequestException("body has more than one list of files");
                await body.ReadArrayAsync(
                    "body/files", index => ReadFileAsync(body, index, cancellationToken), cancellationToken);
            },
            cancellationToken);
        await body.EndAsync(cancellationToken);
        if (_files.Count == 0)
        {
            throw new RefusedRequestException(
                isThere ? "body/files must NOT have fewer than 1 items" : "body must have required property 'files'");
        }
    }

    /// <summary>Puts each file in its place, whatever becomes of the others.</summary>
    public IReadOnlyList<WriteFileResult> Place(WorkspaceFiles files) => [.. _files.Select(file => Place(files, file))];

    private WriteFileResult Place(WorkspaceFiles files, Pending file)
    {
        var target = WorkspacePath.Normalize(_target);
        var path = WorkspacePath.Normalize(file.Path);
        var whole = target is null || path is null or "" ? null : WorkspacePath.Normalize($"{target}/{path}".TrimStart('/'));
        var error = whole is null ? "Invalid file path"
            : WorkspacePath.Split(whole).Name == ".DS_Store" ? "Skipped: .DS_Store"
            : file.Error ?? files.Place(staging, file.Staged!, whole, replaces: true); // Without an error it is staged.
        return error is null
            ? new WriteFileResult(file.Path, Written: true, Size: file.Size)
            : new WriteFileResult(file.Path, Written: false, Error: error);
    }

    private async Task ReadFileAsync(JsonBodyReader body, int index, CancellationToken cancellationToken)
    {
        if (index == MaxFiles)
        {
            throw new RefusedRequestException($"body/files must NOT have more than {MaxFiles} items");
        }

        string? path = null;
        Pending? content = null;
        var place = $"body/files/{index}";
        await body.ReadObjectAsync(
            place,
            FileFields,
            async field =>
            {
                switch (field)
                {
                    case "path":
                        path = await body.ReadStringAsync($"{place}/path", MaxPathBytes, cancellationToken);
                        break;
                    case "content" when content is not null:
                        throw new RefusedRequestException($"{place} has more than one content");
                    case "content":
                        await using (var bytes = await body.BeginBase64Async($"{place}/content", cancellationToken))
                        {
                            content = await StageAsync(bytes, cancellationToken);
                        }

                        break;
                    default:
                        await body.ReadOptionalStringAsync($"{place}/mimeType", MaxTypeBytes, cancellationToken);
                        break;
                }
            },
            cancellationToken);
        _files.Add((content ?? throw Missing(place, "content")) with { Path = path ?? throw Missing(place, "path") });
    }

    /// <summary>Writes the content where it belongs to nobody yet. One that is too large is read to its end, for its
    /// size.</summary>
    private async Task<Pending> StageAsync(Base64Content content, CancellationToken cancellationToken)
    {
        var most = Math.Min(MaxFileBytes, MaxBatchBytes - _bytes);
        var size = 0L;
        using var staged = staging.Make();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
            {
                size += read;
                if (size > most)
                {
                    staged.Content.SetLength(0);
                    size += await content.PassOverAsync(cancellationToken);
                    return new Pending(string.Empty, null, size, TooLarge(size));
                }

                await staged.Content.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        _bytes += size;
        return new Pending(string.Empty, staged, size, null);
    }

    private static string TooLarge(long size) =>
        size > MaxFileBytes ? Problems.FileTooLarge(size, MaxFileBytes).Message : "Batch size limit exceeded";

    private static RefusedRequestException Missing(string place, string field) =>
        new($"{place} must have required property '{field}'");

    private sealed record Pending(string Path, StagedFile? Staged, long Size, string? Error);
}
