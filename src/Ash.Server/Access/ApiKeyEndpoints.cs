using Ash.Protocol.Api;
using Ash.Server.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Ash.Server.Access;

/// <summary>The HTTP face of API keys: make one, look at them, change one, delete one (contract 3.11, 3.12).</summary>
internal static class ApiKeyEndpoints
{
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxNameLength = 255;
    private const string DefaultLabel = "dashboard-key";

    public static void MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api/api-keys").WithTags("api-keys").WithMetadata(new RequiredScope(AccessScope.Admin));

        keys.MapGet("/", ListAsync)
            .WithName("ListApiKeys")
            .WithSummary("List the tenant's API keys, newest first")
            .WithPages()
            .Produces<ApiKeyListEnvelope>()
            .ProducesApiErrors(400, 401);
        keys.MapPost("/", CreateAsync)
            .WithName("CreateApiKey")
            .WithSummary("Make an API key; its text is told once")
            .Accepts<CreateApiKeyRequest>(isOptional: true, "application/json")
            .WithBody("What the key is for, and what it may do.")
            .Produces<CreatedApiKey>(StatusCodes.Status201Created)
            .ProducesApiErrors(400, 401, 413, 415);
        keys.MapPatch("/{id}", UpdateAsync)
            .WithName("UpdateApiKey")
            .WithSummary("Change an API key's label, scopes or end; its text stays")
            .Accepts<UpdateApiKeyRequest>("application/json")
            .WithBody("What is to change.")
            .Produces<ApiKeyEnvelope>()
            .ProducesApiErrors(400, 401, 404, 409, 413, 415);
        keys.MapDelete("/{id}", DeleteAsync)
            .WithName("DeleteApiKey")
            .WithSummary("Delete an API key; from then on it lets nobody in")
            .Produces<OkEnvelope>()
            .ProducesApiErrors(401, 404, 409);

        routes.MapPost("/api/internal/api-keys", CreateForTenantAsync)
            .WithName("CreateTenantApiKey")
            .WithTags("internal")
            .WithSummary("Make an API key of any tenant; needs ASH_INTERNAL_SECRET in the place of a key")
            .Accepts<CreateTenantApiKeyRequest>("application/json")
            .WithBody("The tenant, what the key is for, and what it may do.")
            .Produces<CreatedTenantApiKey>()
            .ProducesApiErrors(400, 401, 413, 415);
    }

    private static async Task<IResult> ListAsync(HttpContext context, ApiKeys keys, CancellationToken cancellationToken)
    {
        if (ListPage.Read(context.Request.Query, out var page) is { } problem)
        {
            return problem.ToResult(context);
        }

        var listed = page.Of(await keys.ListAsync(context.Caller.TenantId, cancellationToken));
        return Results.Json(new ApiKeyListEnvelope(listed.Items) { Total = listed.Total }, ApiJson.Default.ApiKeyListEnvelope);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, ApiKeys keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        var request = new CreateApiKeyRequest();
        if (HasBody(context))
        {
            var body = await JsonBody<CreateApiKeyRequest>.ReadAsync(
                context.Request, ApiJson.Default.CreateApiKeyRequest, MaxBodyBytes, cancellationToken);
            if (body.Problem is { } unread)
            {
                return unread.ToResult(context);
            }

            request = body.Value!;
        }

        if (Check(request.Label, request.Scopes, request.ExpiresAt, context.Caller.Scope, clock) is { } problem)
        {
            return problem.ToResult(context);
        }

        var created = await keys.CreateAsync(
            context.Caller.TenantId, request.Label ?? DefaultLabel, Scopes.ToStored(request.Scopes), request.ExpiresAt);
        return Results.Json(created, ApiJson.Default.CreatedApiKey, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, ApiKeys keys)
    {
        if (!Guid.TryParseExact(id, "D", out var keyId))
        {
            return Problems.UnknownApiKey.ToResult(context);
        }

        var problem = await keys.DeleteAsync(context.Caller, keyId, removed: key => EndAfterThis(context, key));
        return problem?.ToResult(context) ?? Answers.Ok();
    }

    private static async Task<IResult> UpdateAsync(
        HttpContext context, string id, ApiKeys keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        var body = await JsonBody<UpdateApiKeyRequest>.ReadAsync(
            context.Request, ApiJson.Default.UpdateApiKeyRequest, MaxBodyBytes, cancellationToken);
        if (body.Problem is { } unread)
        {
            return unread.ToResult(context);
        }

        var request = body.Value!;
        if (Check(request.Label, request.Scopes, request.ExpiresAt, context.Caller.Scope, clock) is { } problem)
        {
            return problem.ToResult(context);
        }

        if (!Guid.TryParseExact(id, "D", out var keyId))
        {
            return Problems.UnknownApiKey.ToResult(context);
        }

        var (changed, refused) = await keys.UpdateAsync(context.Caller, keyId, request, replaced: key => EndAfterThis(context, key));
        return refused?.ToResult(context) ?? Results.Json(new ApiKeyEnvelope(changed!), ApiJson.Default.ApiKeyEnvelope);
    }

    /// <summary>A key that takes its own rights away is told so first.</summary>
    private static void EndAfterThis(HttpContext context, ActiveKey key) => context.Response.OnCompleted(() =>
    {
        key.End();
        return Task.CompletedTask;
    });

    private static async Task<IResult> CreateForTenantAsync(
        HttpContext context, ApiKeys keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        var body = await JsonBody<CreateTenantApiKeyRequest>.ReadAsync(
            context.Request, ApiJson.Default.CreateTenantApiKeyRequest, MaxBodyBytes, cancellationToken);
        if (body.Problem is { } unread)
        {
            return unread.ToResult(context);
        }

        var request = body.Value!;
        if (request.TenantId is not { Length: > 0 } tenant)
        {
            return Problems.Invalid("Missing required field: tenantId").ToResult(context);
        }

        if ((CheckName("tenantId", tenant)
            ?? Check(request.Label, request.Scopes, request.ExpiresAt, AccessScope.Admin, clock)) is { } problem)
        {
            return problem.ToResult(context);
        }

        var created = await keys.CreateAsync(
            tenant, request.Label ?? $"platform-{tenant}", Scopes.ToStored(request.Scopes), request.ExpiresAt);
        return Results.Json(
            new CreatedTenantApiKey(created.Id, created.Key, tenant), ApiJson.Default.CreatedTenantApiKey);
    }

    private static bool HasBody(HttpContext context) =>
        context.Request.ContentLength is not 0 && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;

    private static Problem? Check(
        string? label, IReadOnlyList<string>? scopes, DateTimeOffset? expiresAt, AccessScope callers, TimeProvider clock) =>
        label is not null && CheckName("label", label) is { } wrong ? wrong
        : expiresAt <= clock.GetUtcNow() ? Problems.Invalid("expiresAt must be in the future")
        : Scopes.Check(scopes, callers);

    private static Problem? CheckName(string field, string text) =>
        text.Length is 0 or > MaxNameLength || text.Any(char.IsControl)
            ? Problems.Invalid($"{field} must have 1 to {MaxNameLength} characters, none of them a control character")
            : null;
}
