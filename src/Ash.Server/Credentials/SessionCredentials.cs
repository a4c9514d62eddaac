using Ash.Protocol.Api;
using Ash.Runner.Sandboxes;
using Ash.Server.Http;
using Ash.Server.Storage;

namespace Ash.Server.Credentials;

/// <summary>What a session gets of its credential: for the broker's model calls, or in its sandbox's environment.</summary>
internal sealed class SessionCredentials(CredentialStore credentials)
{
    /// <returns>Why a tenant's new session cannot use what it asks for; null where it can.</returns>
    public async Task<Problem?> CheckAsync(string tenantId, CreateSessionRequest request, CancellationToken cancellationToken)
    {
        var exposes = request.ExposeCredential == true;
        if (request.CredentialId is null)
        {
            return exposes ? Problems.Invalid("exposeCredential needs a credentialId") : null;
        }

        if (!Guid.TryParseExact(request.CredentialId, "D", out var id)
            || await credentials.OpenAsync(tenantId, id, cancellationToken) is not { } credential)
        {
            return Problems.InvalidCredential;
        }

        return credential.Type == CredentialType.Anthropic
            ? exposes ? Problems.CredentialStaysOutside : null
            : exposes ? null : Problems.CredentialNeedsExposing(credential.Type);
    }

    /// <summary>The key of a session's calls of the model, where it brought one of its own.</summary>
    /// <returns>Null where its credential is gone.</returns>
    public async ValueTask<Secret?> FindModelKeyAsync(string tenantId, Guid credentialId, CancellationToken cancellationToken)
    {
        var credential = await credentials.OpenAsync(tenantId, credentialId, cancellationToken);
        if (credential?.Type != CredentialType.Anthropic)
        {
            return null;
        }

        credentials.Use(credential);
        return credential.Secret;
    }

    /// <summary>What a session's credential adds to its sandbox's environment; null where there is nothing.</summary>
    /// <exception cref="SandboxException">The credential is gone, and the session was made to have it.</exception>
    public async Task<IReadOnlyDictionary<string, string>?> FindEnvironmentAsync(
        SessionRecord session, CancellationToken cancellationToken)
    {
        if (session is not { ExposesCredential: true, CredentialId: { } id })
        {
            return null;
        }

        var credential = await credentials.OpenAsync(session.TenantId, id, cancellationToken)
            ?? throw new SandboxException(
                "The session's credential was deleted, or cannot be read any more; create a session with another credential.");
        credentials.Use(credential);
        return credential.Environment;
    }
}
