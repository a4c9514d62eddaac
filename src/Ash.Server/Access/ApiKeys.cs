using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ash.Protocol.Api;
using Ash.Server.Configuration;
using Ash.Server.Http;
using Ash.Server.Sessions;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Access;

/// <summary>The API keys: hashed in the store, beside the operator's static one.</summary>
internal sealed partial class ApiKeys(
    IDbContextFactory<AshDbContext> contexts,
    StoreWriter writer,
    DataFolder data,
    ServerSettings settings,
    TimeProvider clock,
    ILogger<ApiKeys> logger) : IHostedService
{
    /// <summary>Names the static key in lists. It is in no store, so nobody can delete it here.</summary>
    public const string StaticKeyId = "env";

    private static readonly DateTimeOffset Never = DateTimeOffset.MaxValue;

    private readonly ActiveKeys _active = new();

    /// <summary>What is in memory follows the store, change by change.</summary>
    private readonly Gate _changes = new();

    /// <summary>The file with a fresh key that its owner has not taken yet, or null.</summary>
    public string? KeyFile => settings.ApiKey is null && File.Exists(data.InitialApiKey) ? data.InitialApiKey : null;

    /// <summary>When keys were last used, until that is stored.</summary>
    public LastUses LastUses { get; } = new();

    /// <summary>Makes sure, before the first request, that somebody can get in, and knows how (contract 8.3).</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        foreach (var known in await db.ApiKeys.ToListAsync(cancellationToken))
        {
            _active.Add(ActiveKey.Of(known, clock));
        }

        if (settings.ApiKey is { } staticKey)
        {
            var caller = new Caller(Caller.DefaultTenant, KeyId: null, AccessScope.Admin);
            _active.Add(new ActiveKey(caller, ApiKeyText.Hash(staticKey), expiresAt: null, clock));
        }
        else if (!_active.HasAdmin(Caller.DefaultTenant, clock.GetUtcNow()))
        {
            var key = ApiKeyText.Make();
            await WriteForOwnerAsync(key, cancellationToken);
            await AddAsync(key, Caller.DefaultTenant, "auto-generated", scopes: null, expiresAt: null);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The key with this text; null where it is nobody's, or was.</summary>
    public ActiveKey? Find(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return _active.Find(hash, clock.GetUtcNow());
    }

    /// <summary>Takes note that a key let somebody in.</summary>
    public void Use(ActiveKey key)
    {
        if (key.Caller.KeyId is { } id)
        {
            LastUses.Note(id, clock.GetUtcNow());
        }
    }

    /// <summary>A tenant's keys, newest first; before them the static one, which is the default tenant's.</summary>
    public async Task<IReadOnlyList<ApiKeyInfo>> ListAsync(string tenantId, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        var stored = await db.ApiKeys
            .Where(key => key.TenantId == tenantId)
            .OrderByDescending(key => key.CreatedAt)
            .ThenByDescending(key => key.Id)
            .ToListAsync(cancellationToken);
        var keys = stored.Select(Describe);
        return settings.ApiKey is { } staticKey && tenantId == Caller.DefaultTenant
            ? [DescribeStatic(staticKey), .. keys]
            : [.. keys];
    }

    /// <summary>Makes a key; its text is known here and never again.</summary>
    /// <param name="tenantId">Whose it is.</param>
    /// <param name="label">For people.</param>
    /// <param name="scopes">As they are stored; null for all.</param>
    /// <param name="expiresAt">Null for never.</param>
    public Task<CreatedApiKey> CreateAsync(string tenantId, string label, string? scopes, DateTimeOffset? expiresAt) =>
        AddAsync(ApiKeyText.Make(), tenantId, label, scopes, expiresAt);

    /// <summary>Deletes a key of the caller's tenant. From then on nobody gets in with it.</summary>
    /// <param name="caller">Who deletes it.</param>
    /// <param name="id">The key's.</param>
    /// <param name="removed">Is given the key, to end what it has opened: perhaps this very request.</param>
    /// <returns>Why it stays; null where it is gone.</returns>
    public async Task<Problem?> DeleteAsync(Caller caller, Guid id, Action<ActiveKey> removed)
    {
        using var entered = await _changes.EnterAsync();
        var now = clock.GetUtcNow();
        var problem = await writer.WriteAsync(Durability.Power, transaction =>
        {
            var keys = transaction.Db.ApiKeys.Where(key => key.TenantId == caller.TenantId).ToList();
            if (TryFind(caller, keys, id, now, out var key) is { } refused)
            {
                return refused;
            }

            if (IsLastWayIn(caller, key!, keys, now))
            {
                return Problems.LastAdminKey;
            }

            transaction.Db.ApiKeys.Remove(key!);
            transaction.Db.SaveChanges();
            return null;
        });
        if (problem is null && _active.Remove(id) is { } key)
        {
            LogDeleted(id, caller.TenantId, caller.KeyId);
            removed(key);
        }

        return problem;
    }

    /// <summary>Changes a key of the caller's tenant; its text stays.</summary>
    /// <param name="caller">Who changes it.</param>
    /// <param name="id">The key's.</param>
    /// <param name="request">Checked.</param>
    /// <param name="replaced">Is given the key as it was, where it may now do less or for less long, to end what it has opened.</param>
    /// <returns>The key as it is now, or why it stays as it was.</returns>
    public async Task<(ApiKeyInfo? Changed, Problem? Problem)> UpdateAsync(
        Caller caller, Guid id, UpdateApiKeyRequest request, Action<ActiveKey> replaced)
    {
        using var entered = await _changes.EnterAsync();
        var now = clock.GetUtcNow();
        var isLess = false;
        var (record, problem) = await writer.WriteAsync<(ApiKeyRecord?, Problem?)>(Durability.Power, transaction =>
        {
            var keys = transaction.Db.ApiKeys.Where(key => key.TenantId == caller.TenantId).ToList();
            if (TryFind(caller, keys, id, now, out var key) is { } refused)
            {
                return (null, refused);
            }

            var scopes = request.Scopes is null ? key!.Scopes : Scopes.ToStored(request.Scopes);
            var expiresAt = request.ExpiresAt ?? key!.ExpiresAt;
            isLess = Scopes.HighestOf(scopes) < Scopes.HighestOf(key!.Scopes) || (expiresAt ?? Never) < (key.ExpiresAt ?? Never);
            if (isLess && IsLastWayIn(caller, key, keys, now))
            {
                return (null, Problems.LastAdminKey);
            }

            (key.Label, key.Scopes, key.ExpiresAt) = (request.Label ?? key.Label, scopes, expiresAt);
            transaction.Db.SaveChanges();
            return (key, null);
        });
        if (record is null)
        {
            return (null, problem);
        }

        if ((request.Scopes is not null || request.ExpiresAt is not null) && _active.Find(id) is { } before)
        {
            _active.Add(ActiveKey.Of(record, clock, isLess ? null : before));
            if (isLess)
            {
                replaced(before);
            }
        }

        LogChanged(id, caller.TenantId, Scopes.NameOf(Scopes.HighestOf(record.Scopes)), caller.KeyId);
        return (Describe(record), null);
    }

    /// <summary>A key that the caller may change. Who lost that right while the request waited for its turn has lost it.</summary>
    /// <returns>Why it may not; null where the key is there.</returns>
    private static Problem? TryFind(Caller caller, List<ApiKeyRecord> keys, Guid id, DateTimeOffset now, out ApiKeyRecord? key)
    {
        key = keys.Find(key => key.Id == id);
        return caller.KeyId is { } own && (keys.Find(key => key.Id == own) is not { } callers || !IsUsableAdmin(callers, now))
            ? Problems.Unauthorized("Invalid API key")
            : key is null ? Problems.UnknownApiKey : null;
    }

    /// <summary>Whether the caller would lock its tenant out without this key.</summary>
    private bool IsLastWayIn(Caller caller, ApiKeyRecord key, List<ApiKeyRecord> keys, DateTimeOffset now) =>
        key.Id == caller.KeyId
        && !HasAnotherWayIn(caller.TenantId)
        && !keys.Exists(other => other != key && IsUsableAdmin(other, now));

    /// <summary>Whether the operator can let the tenant in again without any of its keys.</summary>
    private bool HasAnotherWayIn(string tenantId) =>
        tenantId == Caller.DefaultTenant ? settings.ApiKey is not null : settings.InternalSecret is not null;

    private static bool IsUsableAdmin(ApiKeyRecord key, DateTimeOffset now) =>
        Scopes.HighestOf(key.Scopes) == AccessScope.Admin && (key.ExpiresAt is null || now < key.ExpiresAt);

    private ApiKeyInfo Describe(ApiKeyRecord key) => new()
    {
        Id = key.Id.ToString(),
        Label = key.Label,
        KeyPrefix = key.KeyPrefix ?? ApiKeyText.Unknown,
        CreatedAt = key.CreatedAt.UtcDateTime.ToString(TimestampConverter.Format, CultureInfo.InvariantCulture),
        Scopes = Scopes.List(key.Scopes),
        ExpiresAt = key.ExpiresAt,
        LastUsedAt = LastUses.Find(key.Id) ?? key.LastUsedAt,
    };

    private static ApiKeyInfo DescribeStatic(string key) => new()
    {
        Id = StaticKeyId,
        Label = "ASH_API_KEY",
        KeyPrefix = ApiKeyText.Prefix(key),
        CreatedAt = "",
        Scopes = Scopes.List(stored: null),
    };

    private async Task<CreatedApiKey> AddAsync(
        string key, string tenantId, string label, string? scopes, DateTimeOffset? expiresAt)
    {
        var record = new ApiKeyRecord
        {
            Id = Guid.CreateVersion7(),
            TenantId = tenantId,
            Label = label,
            KeyHash = Convert.ToHexStringLower(ApiKeyText.Hash(key)),
            KeyPrefix = ApiKeyText.Prefix(key),
            Scopes = scopes,
            CreatedAt = clock.GetUtcNow(),
            ExpiresAt = expiresAt,
        };
        using var entered = await _changes.EnterAsync();
        await writer.WriteAsync(Durability.Power, transaction =>
        {
            transaction.Db.ApiKeys.Add(record);
            transaction.Db.SaveChanges();
        });
        _active.Add(ActiveKey.Of(record, clock));
        LogMade(record.Id, tenantId, Scopes.NameOf(Scopes.HighestOf(scopes)));
        return new CreatedApiKey(record.Id, key);
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

    [LoggerMessage(LogLevel.Information, "Made API key {KeyId} of tenant {TenantId} with the scope {Scope}")]
    private partial void LogMade(Guid keyId, string tenantId, string scope);

    [LoggerMessage(LogLevel.Information, "Changed API key {KeyId} of tenant {TenantId}, now with the scope {Scope}, as key {CallersKeyId} asked for")]
    private partial void LogChanged(Guid keyId, string tenantId, string scope, Guid? callersKeyId);

    [LoggerMessage(LogLevel.Information, "Deleted API key {KeyId} of tenant {TenantId}, as key {CallersKeyId} asked for")]
    private partial void LogDeleted(Guid keyId, string tenantId, Guid? callersKeyId);
}
