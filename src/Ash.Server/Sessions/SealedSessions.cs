using System.Text.Json;
using Ash.Server.Credentials;
using Ash.Server.Storage;
using Microsoft.EntityFrameworkCore;

namespace Ash.Server.Sessions;

/// <summary>What of a session is sealed in the store.</summary>
internal sealed class SealedSessions(IDbContextFactory<AshDbContext> contexts, StoreWriter writer, SealedTexts texts) : ISealedRows
{
    /// <exception cref="SealedTextException">It cannot be opened.</exception>
    public SessionSecrets Open(SessionRecord session) => session.Secrets is { } stored
        ? JsonSerializer.Deserialize(texts.Open(stored, PlaceOf(session.Id, session.TenantId)), SessionSecretsJson.Default.SessionSecrets)!
        : SessionSecrets.None;

    public void Set(SessionRecord session, SessionSecrets secrets) => session.Secrets = secrets == SessionSecrets.None
        ? null
        : texts.Seal(JsonSerializer.Serialize(secrets, SessionSecretsJson.Default.SessionSecrets), PlaceOf(session.Id, session.TenantId));

    /// <summary>A session's, sealed for another id of the same tenant; null where it has none.</summary>
    /// <exception cref="SealedTextException">It cannot be opened.</exception>
    public string? SealFor(Guid id, SessionRecord session) => session.Secrets is { } stored
        ? texts.Seal(texts.Open(stored, PlaceOf(session.Id, session.TenantId)), PlaceOf(id, session.TenantId))
        : null;

    async Task<IReadOnlyList<Guid>> ISealedRows.FindPlainAsync(CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Sessions
            .Where(session => session.Secrets != null && EF.Functions.Like(session.Secrets, SealedTexts.PlainPattern))
            .Select(session => session.Id)
            .ToListAsync(cancellationToken);
    }

    /// <remarks>Their servers are in the plain configuration, which has what is shown of them from now on.</remarks>
    Task ISealedRows.SealPlainAsync(Guid id) => writer.WriteAsync(Durability.Power, transaction =>
    {
        if (transaction.Db.Sessions.SingleOrDefault(session => session.Id == id) is { Secrets: { } plain } session && SealedTexts.IsPlain(plain))
        {
            var config = SessionOptions.Parse(session.Config);
            var secrets = JsonSerializer.Deserialize(plain, SessionSecretsJson.Default.SessionSecrets)!;
            Set(session, secrets with { McpServers = config?.McpServers });
            session.Config = config is null ? null : SessionOptions.ToJson(config);
            transaction.Db.SaveChanges();
        }
    });

    async Task<IReadOnlyList<Guid>> ISealedRows.FindStaleAsync(string current, CancellationToken cancellationToken)
    {
        await using var db = await contexts.CreateDbContextAsync(cancellationToken);
        return await db.Sessions
            .Where(session => session.Secrets != null && !session.Secrets.StartsWith(current))
            .Select(session => session.Id)
            .ToListAsync(cancellationToken);
    }

    Task ISealedRows.SealAnewAsync(Guid id) => writer.WriteAsync(Durability.Power, transaction =>
    {
        if (transaction.Db.Sessions.SingleOrDefault(session => session.Id == id) is { } session)
        {
            session.Secrets = SealFor(id, session);
            transaction.Db.SaveChanges();
        }
    });

    private static SealedPlace PlaceOf(Guid id, string tenantId) => new("session's environment", id, tenantId, "create another session");
}
