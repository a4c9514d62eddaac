using System.Net.Http.Headers;
using System.Text.Json;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>The files of sessions: one by one, and whole workspaces.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses (404 where there is no such session or file) and
/// <see cref="AshConnectionException"/> where none answers. Paths are relative to the workspace.
/// </remarks>
public sealed class FilesClient
{
    private readonly ApiConnection _connection;

    internal FilesClient(ApiConnection connection) => _connection = connection;

    /// <summary>The files of a session's workspace.</summary>
    /// <param name="includeHidden">Also those in caches, virtual environments and temporary folders.</param>
    public Task<FileListing> ListAsync(Guid session, bool includeHidden = true, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(
            HttpMethod.Get,
            includeHidden ? FilePaths.All(session) : $"{FilePaths.All(session)}?includeHidden=false",
            ApiJson.Default.FileListing,
            cancellationToken: cancellationToken);

    /// <summary>A file as text, of at most 1 MB.</summary>
    public Task<FileText> ReadTextAsync(Guid session, string path, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(
            HttpMethod.Get,
            $"{FilePaths.One(session, path)}?format=json",
            ApiJson.Default.FileText,
            cancellationToken: cancellationToken);

    /// <summary>Opens a file's bytes, or some of them.</summary>
    /// <param name="from">The first of them.</param>
    /// <param name="count">How many; to the file's end where null. At most 100 MB come in one answer.</param>
    public Task<FileDownload> OpenAsync(
        Guid session, string path, long from = 0, long? count = null, CancellationToken cancellationToken = default)
    {
        var range = from == 0 && count is null ? null : new RangeHeaderValue(from, count is null ? null : from + count - 1);
        return _connection.DownloadAsync(FilePaths.One(session, path), range, cancellationToken);
    }

    /// <summary>Writes files; each has an outcome of its own.</summary>
    public async Task<IReadOnlyList<WriteFileResult>> WriteAsync(
        Guid session, WriteFilesRequest request, CancellationToken cancellationToken = default)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.WriteFilesRequest));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var answer = await _connection
            .UploadAsync(FilePaths.All(session), content, ApiJson.Default.WriteFilesResult, cancellationToken)
            .ConfigureAwait(false);
        return answer.Files;
    }

    /// <summary>Writes one file, of at most 50 MB, as it is read.</summary>
    /// <param name="content">Read from where it is to its end.</param>
    public async Task<WriteFileResult> WriteAsync(
        Guid session, string path, Stream content, CancellationToken cancellationToken = default)
    {
        var name = JsonSerializer.SerializeToUtf8Bytes(path, TextJson.Default.String);
        byte[] before = [.. "{\"files\":[{\"path\":"u8, .. name, .. ",\"content\":\""u8];
        using var body = new Base64JsonContent(before, content, "\"}]}"u8.ToArray());
        var answer = await _connection
            .UploadAsync(FilePaths.All(session), body, ApiJson.Default.WriteFilesResult, cancellationToken)
            .ConfigureAwait(false);
        return answer.Files[0];
    }

    /// <summary>Deletes a file, or a link and not what it leads to.</summary>
    public Task DeleteAsync(Guid session, string path, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(
            HttpMethod.Delete,
            FilePaths.One(session, path),
            ApiJson.Default.DeleteFileResult,
            cancellationToken: cancellationToken);

    /// <summary>Opens the whole workspace as a gzipped tar archive, which the server packs as it is read.</summary>
    public Task<FileDownload> DownloadWorkspaceAsync(Guid session, CancellationToken cancellationToken = default) =>
        _connection.DownloadAsync(FilePaths.Workspace(session), range: null, cancellationToken);

    /// <summary>Lays a gzipped tar archive over the workspace, as it is read.</summary>
    /// <param name="bundle">Read from where it is to its end.</param>
    public async Task<RestoreWorkspaceResult> UploadWorkspaceAsync(
        Guid session, Stream bundle, CancellationToken cancellationToken = default)
    {
        using var content = new BundleContent(bundle);
        return await _connection
            .UploadAsync(FilePaths.Workspace(session), content, ApiJson.Default.RestoreWorkspaceResult, cancellationToken)
            .ConfigureAwait(false);
    }
}
