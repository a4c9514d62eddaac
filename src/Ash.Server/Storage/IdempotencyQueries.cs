namespace Ash.Server.Storage;

internal static class IdempotencyQueries
{
    /// <summary>What a tenant's key stands for within a scope: at most one.</summary>
    public static IQueryable<IdempotencyRecord> Of(this IQueryable<IdempotencyRecord> keys, string tenantId, string scope, string? key) =>
        keys.Where(known => known.TenantId == tenantId && known.Scope == scope && known.Key == key);
}
