using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>Deploys agents, looks at them and changes them.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses and <see cref="AshConnectionException"/>
/// where none answers.
/// </remarks>
public sealed class AgentsClient
{
    private readonly ApiConnection _connection;

    internal AgentsClient(ApiConnection connection) => _connection = connection;

    /// <summary>Deploys the first or the next version of an agent, from files or from a folder on the server's machine.</summary>
    /// <remarks>The request takes as long as it takes.</remarks>
    public Task<AgentInfo> DeployAsync(DeployAgentRequest request, CancellationToken cancellationToken = default) =>
        DeployAsync(request, sent: null, cancellationToken);

    /// <inheritdoc cref="DeployAsync(DeployAgentRequest, CancellationToken)"/>
    /// <param name="sent">Told which part of the request is on its way, from 0 to 1; may be null.</param>
    public async Task<AgentInfo> DeployAsync(
        DeployAgentRequest request, IProgress<double>? sent, CancellationToken cancellationToken = default)
    {
        using var body = new MeteredJsonContent(
            JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.DeployAgentRequest), sent);
        var answer = await _connection
            .UploadAsync("api/agents", body, ApiJson.Default.AgentEnvelope, cancellationToken)
            .ConfigureAwait(false);
        return answer.Agent;
    }

    /// <summary>Deploys files.</summary>
    public Task<AgentInfo> DeployAsync(
        string name,
        IReadOnlyList<AgentFile> files,
        IReadOnlyDictionary<string, string>? env = null,
        CancellationToken cancellationToken = default) =>
        DeployAsync(new DeployAgentRequest { Name = name, Files = files, Env = env }, cancellationToken);

    /// <summary>Deploys a folder that lies on the server's machine.</summary>
    public Task<AgentInfo> DeployPathAsync(
        string name,
        string path,
        IReadOnlyDictionary<string, string>? env = null,
        CancellationToken cancellationToken = default) =>
        DeployAsync(new DeployAgentRequest { Name = name, Path = path, Env = env }, cancellationToken);

    /// <summary>All agents, by name.</summary>
    public async Task<IReadOnlyList<AgentInfo>> ListAsync(CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(HttpMethod.Get, "api/agents", ApiJson.Default.AgentListEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Agents;
    }

    /// <summary>One agent. Throws with status 404 where there is none of that name.</summary>
    public async Task<AgentInfo> GetAsync(string name, CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(HttpMethod.Get, PathOf(name), ApiJson.Default.AgentEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Agent;
    }

    /// <summary>Deletes an agent. Throws with status 404 where there is none of that name.</summary>
    public Task DeleteAsync(string name, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(HttpMethod.Delete, PathOf(name), ApiJson.Default.OkEnvelope, cancellationToken: cancellationToken);

    /// <summary>Changes an agent's name, environment, configuration or prompt; a new prompt is its next version.</summary>
    public async Task<AgentInfo> UpdateAsync(string name, UpdateAgentRequest request, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.UpdateAgentRequest);
        var answer = await _connection
            .CallAsync(HttpMethod.Patch, PathOf(name), ApiJson.Default.AgentEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Agent;
    }

    /// <summary>An object that is kept with an agent for its users, and has no effect.</summary>
    public async Task<JsonElement> GetConfigAsync(string name, CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(HttpMethod.Get, ConfigOf(name), ApiJson.Default.AgentConfigEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Config;
    }

    /// <summary>Adds fields to that object, or replaces those of the same names.</summary>
    /// <returns>The whole of it.</returns>
    public async Task<JsonElement> UpdateConfigAsync(string name, JsonObject fields, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(fields, ApiJson.Default.JsonObject);
        var answer = await _connection
            .CallAsync(HttpMethod.Patch, ConfigOf(name), ApiJson.Default.AgentConfigEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Config;
    }

    /// <summary>Makes an agent of an agent, with all but its sessions. Throws with status 409 where the name is taken.</summary>
    public async Task<AgentInfo> CloneAsync(string name, string newName, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new CloneAgentRequest(newName), ApiJson.Default.CloneAgentRequest);
        var answer = await _connection
            .CallAsync(HttpMethod.Post, $"{PathOf(name)}/clone", ApiJson.Default.AgentEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Agent;
    }

    /// <summary>An agent's deploys, the newest first.</summary>
    public async Task<IReadOnlyList<DeployInfo>> ListDeploysAsync(string name, CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(
                HttpMethod.Get, $"{PathOf(name)}/deploys", ApiJson.Default.DeployListEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Deploys;
    }

    /// <summary>Makes the content of an earlier deploy that of the next version.</summary>
    public async Task<AgentInfo> RollBackAsync(string name, int version, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new RollBackRequest(version), ApiJson.Default.RollBackRequest);
        var answer = await _connection
            .CallAsync(
                HttpMethod.Post, $"{PathOf(name)}/rollback", ApiJson.Default.AgentEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Agent;
    }

    internal static string PathOf(string name) => $"api/agents/{Uri.EscapeDataString(name)}";

    private static string ConfigOf(string name) => $"{PathOf(name)}/config";
}
