using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Ash.Server.Configuration;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Access;

/// <summary>The API keys: hashed in the store, beside the operator's static one.</summary>
internal sealed class ApiKeys(
    IDbContextFactory<AshDbContext> contexts, StoreWriter writer, DataFolder data, ServerSettings settings, TimeProvider clock) : IHostedService
{
    private readonly byte[]? _staticHash = settings.ApiKey is { } key ? SHA256.HashData(Encoding.UTF8.GetBytes(key)) : null;
    private readonly ConcurrentDictionary<string, string> _tenants = new();

    /// <summary>The file with a fresh key that its owner has not taken yet, or null.</summary>
    public string? KeyFile => _staticHash is null && File.Exists(data.InitialApiKey) ? data.InitialApiKey : null;

    /// <summary>Makes sure, before the first request, that there is a key and that its owner can find it (contract 8.3).</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        foreach (var known in await db.ApiKeys.ToListAsync(cancellationToken))
        {
            _tenants[known.KeyHash] = known.TenantId;
        }

        if (_staticHash is not null || !_tenants.IsEmpty)
        {
            return;
        }

        var key = "ash_" + Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)).Replace('+', '-').Replace('/', '_');
        await WriteForOwnerAsync(key, cancellationToken);
        await AddAsync(key, Caller.DefaultTenant, "auto-generated");
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whose key this is; null where it is nobody's.</summary>
    public Caller? Find(string key)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(key));
        if (_staticHash is not null && CryptographicOperations.FixedTimeEquals(hash, _staticHash))
        {
            return new Caller(Caller.DefaultTenant);
        }

        return _tenants.TryGetValue(Convert.ToHexStringLower(hash), out var tenant) ? new Caller(tenant) : null;
    }

    private async Task AddAsync(string key, string tenantId, string label)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        await writer.WriteAsync(Durability.Power, transaction =>
        {
            transaction.Db.ApiKeys.Add(new ApiKeyRecord
            {
                Id = Guid.CreateVersion7(),
                TenantId = tenantId,
                Label = label,
                KeyHash = hash,
                CreatedAt = clock.GetUtcNow(),
            });
            transaction.Db.SaveChanges();
        });
        _tenants[hash] = tenantId;
    }

    private async Task WriteForOwnerAsync(string key, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using var file = new FileStream(data.InitialApiKey, options);
        await file.WriteAsync(Encoding.UTF8.GetBytes(key), cancellationToken);
    }
}
