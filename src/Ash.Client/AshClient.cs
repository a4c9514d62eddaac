using System.Net;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>A client of one Ash server. Safe for use by many threads; make one and keep it.</summary>
public sealed class AshClient : IDisposable
{
    private readonly ApiConnection _connection;

    public AshClient(AshClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _connection = new ApiConnection(options);
        Agents = new AgentsClient(_connection);
        AgentFiles = new AgentFilesClient(_connection);
        PromptVersions = new PromptVersionsClient(_connection);
        Sessions = new SessionsClient(_connection, options);
        ApiKeys = new ApiKeysClient(_connection);
        Credentials = new CredentialsClient(_connection);
        Files = new FilesClient(_connection);
        Attachments = new AttachmentsClient(_connection);
    }

    /// <summary>Where the server is.</summary>
    public Uri ServerUrl => _connection.ServerUrl;

    /// <summary>Deployed agents.</summary>
    public AgentsClient Agents { get; }

    /// <summary>The files of agents.</summary>
    public AgentFilesClient AgentFiles { get; }

    /// <summary>Numbered system prompts of agents.</summary>
    public PromptVersionsClient PromptVersions { get; }

    /// <summary>Sessions, their turns and their events.</summary>
    public SessionsClient Sessions { get; }

    /// <summary>Who may use the server.</summary>
    public ApiKeysClient ApiKeys { get; }

    /// <summary>Secrets that sessions may use.</summary>
    public CredentialsClient Credentials { get; }

    /// <summary>The files of sessions.</summary>
    public FilesClient Files { get; }

    /// <summary>Files that users give to sessions.</summary>
    public AttachmentsClient Attachments { get; }

    /// <summary>Says that the server runs, and how busy it is. Needs no key.</summary>
    /// <exception cref="AshConnectionException">No server answers.</exception>
    public Task<HealthInfo> GetHealthAsync(CancellationToken cancellationToken = default) =>
        _connection.CallAsync(HttpMethod.Get, "health", ApiJson.Default.HealthInfo, cancellationToken: cancellationToken);

    /// <summary>Says whether the server can serve requests in full, and otherwise what is missing. Needs no key.</summary>
    /// <exception cref="AshConnectionException">No server answers.</exception>
    public async Task<ReadinessInfo> GetReadinessAsync(CancellationToken cancellationToken = default)
    {
        using var deadline = _connection.StartDeadline(cancellationToken);
        using var request = _connection.Request(HttpMethod.Get, "health/ready");
        using var response = await _connection.SendAsync(request, deadline).ConfigureAwait(false);

        // 503 with this body is an answer, not a failure.
        if (!response.IsSuccessStatusCode && response.StatusCode != HttpStatusCode.ServiceUnavailable)
        {
            throw await _connection.RefusalAsync(response, deadline).ConfigureAwait(false);
        }

        return await _connection.ReadAsync(response, ApiJson.Default.ReadinessInfo, deadline).ConfigureAwait(false);
    }

    public void Dispose() => _connection.Dispose();
}
