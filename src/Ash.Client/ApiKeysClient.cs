using System.Text.Json;
using Ash.Protocol.Api;

namespace Ash.Client;

/// <summary>Makes API keys, looks at them, changes and deletes them. Needs a key with the scope <c>admin</c>.</summary>
/// <remarks>
/// Every method throws <see cref="AshApiException"/> where the server refuses and <see cref="AshConnectionException"/>
/// where none answers.
/// </remarks>
public sealed class ApiKeysClient
{
    private const string All = "api/api-keys";

    private readonly ApiConnection _connection;

    internal ApiKeysClient(ApiConnection connection) => _connection = connection;

    /// <summary>Makes a key. Its text is in the answer and never shown again.</summary>
    public Task<CreatedApiKey> CreateAsync(CreateApiKeyRequest request, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.CreateApiKeyRequest);
        return _connection.CallAsync(
            HttpMethod.Post, All, ApiJson.Default.CreatedApiKey, json, cancellationToken: cancellationToken);
    }

    /// <summary>The tenant's keys, the newest first, without their texts.</summary>
    public async Task<IReadOnlyList<ApiKeyInfo>> ListAsync(CancellationToken cancellationToken = default)
    {
        var answer = await _connection
            .CallAsync(HttpMethod.Get, All, ApiJson.Default.ApiKeyListEnvelope, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Keys;
    }

    /// <summary>Changes a key's label, scopes or end; its text stays. Throws with status 404 where there is none.</summary>
    public async Task<ApiKeyInfo> UpdateAsync(Guid id, UpdateApiKeyRequest request, CancellationToken cancellationToken = default)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.UpdateApiKeyRequest);
        var answer = await _connection
            .CallAsync(HttpMethod.Patch, $"{All}/{id}", ApiJson.Default.ApiKeyEnvelope, json, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.ApiKey;
    }

    /// <summary>Deletes a key; from then on it lets nobody in. Throws with status 404 where there is none.</summary>
    public Task DeleteAsync(Guid id, CancellationToken cancellationToken = default) =>
        _connection.CallAsync(HttpMethod.Delete, $"{All}/{id}", cancellationToken);
}
