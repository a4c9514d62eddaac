using System.Text.Json;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>Deploys agents and looks at them.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses and <see cref="AshConnectionException"/>
/// where none answers.
/// </remarks>
public sealed class AgentsClient
{
    private readonly ApiConnection _connection;

    internal AgentsClient(ApiConnection connection) => _connection = connection;

    /// <summary>Deploys the first or the next version of an agent, from files or from a folder on the server's machine.</summary>
    public async Task<AgentInfo> DeployAsync(DeployAgentRequest request, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.DeployAgentRequest);
        var answer = await _connection
            .CallAsync(HttpMethod.Post, "api/agents", ApiJson.Default.AgentEnvelope, json, cancellationToken: cancellationToken)
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

    private static string PathOf(string name) => $"api/agents/{Uri.EscapeDataString(name)}";
}
