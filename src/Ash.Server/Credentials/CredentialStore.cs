using System.Text;
using Ash.Protocol.Api;
using Ash.Server.Http;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Credentials;

/// <summary>The tenants' credentials: sealed in the store, opened one at a time for whoever uses one.</summary>
internal sealed partial class CredentialStore(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    CredentialKeys keys,
    TimeProvider clock,
    ILogger<CredentialStore> logger) : IHostedService
{
    /// <summary>When credentials were last used, until that is stored.</summary>
    public LastUses LastUses { get; } = new();

    /// <summary>Seals with the current key what was sealed with an earlier one, which can then be forgotten.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var current = keys.Current?.Id;
        var stale = await db.Credentials.Where(credential => credential.KeyId != current).ToListAsync(cancellationToken);
        var (opened, sealedAnew) = (0, 0);
        foreach (var credential in stale)
        {
            if (TryOpen(credential) is { } open)
            {
                opened++;
                sealedAnew += await TrySealAnewAsync(credential, open.Secret) ? 1 : 0;
            }
        }

        if (sealedAnew > 0)
        {
            LogSealedAnew(sealedAnew);
        }

        if (stale.Count > opened)
        {
            LogUnreadable(stale.Count - opened);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A tenant's credentials, newest first.</summary>
    public async Task<Listed<ListedCredential>> ListAsync(string tenantId, ListPage page, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var stored = await page.ReadAsync(db.Credentials
            .Where(credential => credential.TenantId == tenantId)
            .OrderByDescending(credential => credential.CreatedAt)
            .ThenByDescending(credential => credential.Id)
            .Select(credential => new ListedCredential
            {
                Id = credential.Id,
                Type = credential.Type,
                Label = credential.Label,
                Active = true,
                CreatedAt = credential.CreatedAt,
                LastUsedAt = credential.LastUsedAt,
            }), cancellationToken);
        return stored.Select(one => one with { LastUsedAt = LastUses.Find(one.Id) ?? one.LastUsedAt });
    }

    /// <exception cref="StoreException">It could not be stored, or no key to seal it with could be kept.</exception>
    public async Task<CredentialInfo> CreateAsync(string tenantId, string type, Secret secret, string label)
    {
        var id = Guid.CreateVersion7();
        var record = new CredentialRecord
        {
            Id = id,
            TenantId = tenantId,
            Type = type,
            Label = label,
            KeyId = string.Empty,
            Nonce = [],
            Sealed = [],
            CreatedAt = clock.GetUtcNow(),
        };
        Seal(record, secret);
        await writer.WriteAsync(Durability.Power, transaction =>
        {
            transaction.Db.Credentials.Add(record);
            transaction.Db.SaveChanges();
        });
        LogMade(id, tenantId, type);
        return Describe(record);
    }

    /// <returns>Null where the tenant has none of this id.</returns>
    public async Task<CredentialInfo?> FindAsync(string tenantId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Credentials.SingleOrDefaultAsync(row => row.Id == id && row.TenantId == tenantId, cancellationToken) is { } found
            ? Describe(found)
            : null;
    }

    /// <summary>Changes a tenant's credential. Whoever opens it from then on has the new secret.</summary>
    /// <param name="tenantId">Whose it is.</param>
    /// <param name="id">The credential's.</param>
    /// <param name="secret">One of its type; null leaves the one there.</param>
    /// <param name="label">Null leaves the one there.</param>
    /// <returns>Null where the tenant has none of this id.</returns>
    /// <exception cref="StoreException">It could not be stored, or no key to seal it with could be kept.</exception>
    public async Task<CredentialInfo?> UpdateAsync(string tenantId, Guid id, Secret? secret, string? label)
    {
        var changed = await writer.WriteAsync(Durability.Power, transaction =>
        {
            var record = transaction.Db.Credentials.SingleOrDefault(row => row.Id == id && row.TenantId == tenantId);
            if (record is not null)
            {
                if (secret is not null)
                {
                    Seal(record, secret);
                }

                record.Label = label ?? record.Label;
                transaction.Db.SaveChanges();
            }

            return record;
        });
        if (changed is null)
        {
            return null;
        }

        LogChanged(id, tenantId, secret is not null);
        return Describe(changed);
    }

    /// <summary>Deletes a tenant's credential. Sessions that use it get nothing from it from then on.</summary>
    /// <returns>False where the tenant has none of this id.</returns>
    public async Task<bool> DeleteAsync(string tenantId, Guid id)
    {
        var isDeleted = await writer.WriteAsync(Durability.Power, transaction =>
            transaction.Db.Credentials.Where(row => row.Id == id && row.TenantId == tenantId).ExecuteDelete() > 0);
        if (isDeleted)
        {
            LogDeleted(id, tenantId);
        }

        return isDeleted;
    }

    /// <summary>Opens a tenant's credential, as it is stored now.</summary>
    /// <returns>Null where the tenant has none of this id, or the server lacks the key that it is sealed with.</returns>
    public async Task<OpenCredential?> OpenAsync(string tenantId, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var credential = await db.Credentials
            .SingleOrDefaultAsync(credential => credential.Id == id && credential.TenantId == tenantId, cancellationToken);
        return credential is null ? null : TryOpen(credential);
    }

    /// <summary>Takes note that a session has used it.</summary>
    public void Use(OpenCredential credential) => LastUses.Note(credential.Id, clock.GetUtcNow());

    private OpenCredential? TryOpen(CredentialRecord credential)
    {
        var place = PlaceOf(credential.Id, credential.TenantId, credential.Type);
        return keys.Find(credential.KeyId)?.Open(credential.Nonce, credential.Sealed, place) is { } text
            ? new OpenCredential(credential.Id, credential.Type, new Secret(text))
            : null;
    }

    private async Task<bool> TrySealAnewAsync(CredentialRecord credential, Secret secret)
    {
        try
        {
            Seal(credential, secret);
            await writer.WriteAsync(Durability.Power, transaction =>
            {
                transaction.Db.Credentials.Where(row => row.Id == credential.Id).ExecuteUpdate(set => set
                    .SetProperty(row => row.KeyId, credential.KeyId)
                    .SetProperty(row => row.Nonce, credential.Nonce)
                    .SetProperty(row => row.Sealed, credential.Sealed));
            });
            return true;
        }
        catch (StoreException failure)
        {
            // The earlier key opens it still.
            LogNotSealedAnew(failure, credential.Id);
            return false;
        }
    }

    /// <exception cref="StoreException">No key to seal it with could be kept.</exception>
    private void Seal(CredentialRecord credential, Secret secret)
    {
        var key = keys.Require();
        credential.KeyId = key.Id;
        (credential.Nonce, credential.Sealed) = key.Seal(
            secret.Reveal(), PlaceOf(credential.Id, credential.TenantId, credential.Type));
    }

    private static CredentialInfo Describe(CredentialRecord credential) => new()
    {
        Id = credential.Id,
        Type = credential.Type,
        Label = credential.Label,
        Active = true,
        CreatedAt = credential.CreatedAt,
    };

    /// <summary>Whoever can write the store, but has no key, cannot move a secret to another row, tenant or type.</summary>
    private static byte[] PlaceOf(Guid id, string tenantId, string type) => Encoding.UTF8.GetBytes($"{id}\0{type}\0{tenantId}");

    [LoggerMessage(LogLevel.Information, "Took in credential {CredentialId} of tenant {TenantId}, of type {Type}")]
    private partial void LogMade(Guid credentialId, string tenantId, string type);

    [LoggerMessage(LogLevel.Information, "Changed credential {CredentialId} of tenant {TenantId}; its secret: {IsSecretNew}")]
    private partial void LogChanged(Guid credentialId, string tenantId, bool isSecretNew);

    [LoggerMessage(LogLevel.Information, "Deleted credential {CredentialId} of tenant {TenantId}")]
    private partial void LogDeleted(Guid credentialId, string tenantId);

    [LoggerMessage(LogLevel.Warning, "Credential {CredentialId} is still sealed with an earlier key; the next start tries again")]
    private partial void LogNotSealedAnew(Exception failure, Guid credentialId);

    [LoggerMessage(LogLevel.Information, "Sealed {Count} credentials anew, with the current credential key")]
    private partial void LogSealedAnew(int count);

    [LoggerMessage(
        LogLevel.Warning,
        "{Count} credentials are sealed with a key that is not here; set ASH_CREDENTIAL_KEY_PREVIOUS, or restore credential.key")]
    private partial void LogUnreadable(int count);
}
