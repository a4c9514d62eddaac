namespace Ash.Server.Access;

/// <summary>Who sends a request, once its key was found good.</summary>
internal sealed record Caller(string TenantId)
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
