using System.Text.Json;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>The files of agents, as they were deployed last. A change of them is the agent's next version.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses (404 where there is no such agent or file) and
/// <see cref="AshConnectionException"/> where none answers. Paths are relative to the agent's folder.
/// </remarks>
public sealed class AgentFilesClient
{
    private readonly ApiConnection _connection;

    internal AgentFilesClient(ApiConnection connection) => _connection = connection;

    /// <summary>All files of an agent.</summary>
    public async Task<IReadOnlyList<FileEntry>> ListAsync(string agent, CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(HttpMethod.Get, All(agent), ApiJson.Default.AgentFileListEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Files;
    }

    /// <summary>A file as text, of at most 1 MB.</summary>
    public Task<AgentFileContent> ReadTextAsync(string agent, string path, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(HttpMethod.Get, One(agent, path), ApiJson.Default.AgentFileContent, cancellationToken: cancellationToken);

    /// <summary>Opens a file's bytes.</summary>
    public Task<FileDownload> OpenAsync(string agent, string path, CancellationToken cancellationToken = default) =>
        _connection.DownloadAsync($"{One(agent, path)}?format=raw", range: null, cancellationToken);

    /// <summary>Writes files: all of them, or none.</summary>
    /// <returns>How many were written.</returns>
    public async Task<int> WriteAsync(string agent, IReadOnlyList<AgentFile> files, CancellationToken cancellationToken = default)
    {
        var request = new WriteAgentFilesRequest { Files = files };
        using var body = new MeteredJsonContent(
            JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.WriteAgentFilesRequest), sent: null);
        var answer = await _connection
            .UploadAsync(All(agent), body, ApiJson.Default.WrittenEnvelope, cancellationToken)
            .ConfigureAwait(false);
        return answer.Written;
    }

    /// <summary>Deletes a file.</summary>
    public Task DeleteAsync(string agent, string path, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(
            HttpMethod.Delete, One(agent, path), ApiJson.Default.DeletedEnvelope, cancellationToken: cancellationToken);

    /// <summary>Opens the whole folder as a gzipped tar archive, which the server packs as it is read.</summary>
    public Task<FileDownload> DownloadAsync(string agent, CancellationToken cancellationToken = default) =>
        _connection.DownloadAsync($"{AgentsClient.PathOf(agent)}/download", range: null, cancellationToken);

    private static string All(string agent) => $"{AgentsClient.PathOf(agent)}/files";

    private static string One(string agent, string path) => $"{All(agent)}/{FilePaths.Escape(path)}";
}
