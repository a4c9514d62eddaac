using System.Text.Json;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>Numbered system prompts of agents. The active one takes the place of <c>CLAUDE.md</c> in new sessions.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses (404 where there is no such agent or version) and
/// <see cref="AshConnectionException"/> where none answers. A version is named by its number or its id.
/// </remarks>
public sealed class PromptVersionsClient
{
    private readonly ApiConnection _connection;

    internal PromptVersionsClient(ApiConnection connection) => _connection = connection;

    /// <summary>An agent's prompt versions, the newest first.</summary>
    public async Task<IReadOnlyList<PromptVersionInfo>> ListAsync(string agent, CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(HttpMethod.Get, All(agent), ApiJson.Default.PromptVersionListEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Versions;
    }

    /// <summary>Makes the next version. It is not active.</summary>
    public Task<PromptVersionInfo> CreateAsync(
        string agent, PromptVersionRequest request, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Post, All(agent), request, cancellationToken);

    /// <summary>One version.</summary>
    public Task<PromptVersionInfo> GetAsync(string agent, string version, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Get, One(agent, version), request: null, cancellationToken);

    /// <summary>Changes a version; sessions keep what they began with.</summary>
    public Task<PromptVersionInfo> UpdateAsync(
        string agent, string version, PromptVersionRequest request, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Patch, One(agent, version), request, cancellationToken);

    /// <summary>Deletes a version. Where it was active, <c>CLAUDE.md</c> is in its place again.</summary>
    public Task DeleteAsync(string agent, string version, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(HttpMethod.Delete, One(agent, version), cancellationToken);

    /// <summary>Makes a version that of new sessions.</summary>
    public Task<ActivatedEnvelope> ActivateAsync(string agent, string version, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(
            HttpMethod.Post, $"{One(agent, version)}/activate", ApiJson.Default.ActivatedEnvelope, cancellationToken: cancellationToken);

    private static string All(string agent) => $"{AgentsClient.PathOf(agent)}/versions";

    private static string One(string agent, string version) => $"{All(agent)}/{Uri.EscapeDataString(version)}";

    private async Task<PromptVersionInfo> SendAsync(
        HttpMethod method, string path, PromptVersionRequest? request, CancellationToken cancellationToken)
    {
        var json = request is null ? null : JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.PromptVersionRequest);
        var answer = await _connection
            .CallAsync(method, path, ApiJson.Default.PromptVersionEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Version;
    }
}
