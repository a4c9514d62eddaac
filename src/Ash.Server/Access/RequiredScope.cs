namespace Ash.Server.Access;

/// <summary>Says of a route which scope it needs, where that does not follow from the method.</summary>
internal sealed record RequiredScope(AccessScope Scope)
{
    /// <summary>What a request needs: looking needs less than changing.</summary>
    public static AccessScope Of(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.Scope
        ?? (IsLook(context.Request.Method) ? AccessScope.Read : AccessScope.Write);

    private static bool IsLook(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);
}
