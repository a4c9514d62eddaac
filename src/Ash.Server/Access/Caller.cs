namespace Ash.Server.Access;

/// <summary>Who sends a request, once its key was found good.</summary>
/// <param name="TenantId">Whose things it is about.</param>
/// <param name="KeyId">The key's; null for the operator's static one.</param>
/// <param name="Scope">What the key may do.</param>
internal sealed record Caller(string TenantId, Guid? KeyId, AccessScope Scope)
{
    public const string DefaultTenant = "default";
}

internal static class CallerExtensions
{
    extension(HttpContext context)
    {
        /// <summary>The caller of a request below <c>/api</c>.</summary>
        public Caller Caller => context.Features.Get<Caller>()
            ?? throw new InvalidOperationException("The request passed no key check.");
    }
}
