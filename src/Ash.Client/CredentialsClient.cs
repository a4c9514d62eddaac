using System.Text.Json;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>Leaves secrets for sessions, looks what there is, changes and deletes them. Needs a key with the scope <c>admin</c>.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses and <see cref="AshConnectionException"/>
/// where none answers.
/// </remarks>
public sealed class CredentialsClient
{
    private const string All = "api/credentials";

    private readonly ApiConnection _connection;

    internal CredentialsClient(ApiConnection connection) => _connection = connection;

    /// <summary>Leaves a secret. It is never shown again.</summary>
    public async Task<CredentialInfo> CreateAsync(CreateCredentialRequest request, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.CreateCredentialRequest);
        var answer = await _connection
            .CallAsync(HttpMethod.Post, All, ApiJson.Default.CredentialEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Credential;
    }

    /// <summary>The tenant's credentials, the newest first, without their secrets.</summary>
    public async Task<IReadOnlyList<ListedCredential>> ListAsync(CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(HttpMethod.Get, All, ApiJson.Default.CredentialListEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Credentials;
    }

    /// <summary>Changes a credential's label, or puts another secret in the place of its own.</summary>
    /// <remarks>Throws with status 404 where there is none.</remarks>
    public async Task<CredentialInfo> UpdateAsync(Guid id, UpdateCredentialRequest request, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.UpdateCredentialRequest);
        var answer = await _connection
            .CallAsync(HttpMethod.Patch, $"{All}/{id}", ApiJson.Default.CredentialEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Credential;
    }

    /// <summary>Deletes a credential; sessions that use it make no further model calls.</summary>
    /// <remarks>Throws with status 404 where there is none.</remarks>
    public Task DeleteAsync(Guid id, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(HttpMethod.Delete, $"{All}/{id}", cancellationToken);
}
