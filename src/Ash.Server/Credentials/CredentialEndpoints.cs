using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Http;

namespace Ash.Server.Credentials;

/// <summary>The HTTP face of credentials: leave one, look what there is, change one, delete one (contract 3.7).</summary>
internal static class CredentialEndpoints
{
    private const int MaxBodyBytes = 256 * 1024;
    private const int MaxLabelLength = 255;

    /// <summary>The environment of a sandbox is not for more.</summary>
    private const int MaxKeyLength = 32 * 1024;

    public static void MapCredentials(this IEndpointRouteBuilder routes)
    {
        var credentials = routes.MapGroup("/api/credentials")
            .WithTags("credentials")
            .WithMetadata(new RequiredScope(AccessScope.Admin));

        credentials.MapPost("/", CreateAsync)
            .WithName("CreateCredential")
            .WithSummary("Leave a secret that sessions may use; it is never shown again")
            .Accepts<CreateCredentialRequest>("application/json")
            .WithBody("The secret, what it opens, and a label.")
            .Produces<CredentialEnvelope>(StatusCodes.Status201Created)
            .ProducesApiErrors(400, 401, 413, 415);
        credentials.MapGet("/", ListAsync)
            .WithName("ListCredentials")
            .WithSummary("List the tenant's credentials, newest first, without their secrets")
            .WithPages()
            .Produces<CredentialListEnvelope>()
            .ProducesApiErrors(400, 401);
        credentials.MapPatch("/{id}", UpdateAsync)
            .WithName("UpdateCredential")
            .WithSummary("Change a credential's label, or put another secret in the place of its own")
            .Accepts<UpdateCredentialRequest>("application/json")
            .WithBody("What is to change.")
            .Produces<CredentialEnvelope>()
            .ProducesApiErrors(400, 401, 404, 413, 415);
        credentials.MapDelete("/{id}", DeleteAsync)
            .WithName("DeleteCredential")
            .WithSummary("Delete a credential; sessions that use it make no further model calls")
            .Produces<OkEnvelope>()
            .ProducesApiErrors(401, 404);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, CredentialStore credentials, CancellationToken cancellationToken)
    {
        var body = await JsonBody<CreateCredentialRequest>.ReadAsync(
            context.Request, ApiJson.Default.CreateCredentialRequest, MaxBodyBytes, cancellationToken);
        if ((body.Problem ?? Check(body.Value!)) is { } problem)
        {
            return problem.ToResult(context);
        }

        var request = body.Value!;
        var created = await credentials.CreateAsync(
            context.Caller.TenantId, request.Type, new Secret(request.Key), request.Label ?? "");
        return Results.Json(
            new CredentialEnvelope(created), ApiJson.Default.CredentialEnvelope, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, CredentialStore credentials, CancellationToken cancellationToken)
    {
        if (ListPage.Read(context.Request.Query, out var page) is { } problem)
        {
            return problem.ToResult(context);
        }

        var listed = await credentials.ListAsync(context.Caller.TenantId, page, cancellationToken);
        return Results.Json(new CredentialListEnvelope(listed.Items) { Total = listed.Total }, ApiJson.Default.CredentialListEnvelope);
    }

    private static async Task<IResult> UpdateAsync(
        HttpContext context, string id, CredentialStore credentials, CancellationToken cancellationToken)
    {
        var body = await JsonBody<UpdateCredentialRequest>.ReadAsync(
            context.Request, ApiJson.Default.UpdateCredentialRequest, MaxBodyBytes, cancellationToken);
        if (body.Problem is { } unread)
        {
            return unread.ToResult(context);
        }

        var request = body.Value!;
        var tenantId = context.Caller.TenantId;
        if (!Guid.TryParseExact(id, "D", out var credentialId)
            || await credentials.FindAsync(tenantId, credentialId, cancellationToken) is not { } known)
        {
            return Problems.UnknownCredential.ToResult(context);
        }

        if ((CheckLabel(request.Label) ?? (request.Key is { } key ? CheckKey(known.Type, key) : null)) is { } problem)
        {
            return problem.ToResult(context);
        }

        return await credentials.UpdateAsync(tenantId, credentialId, request.Key is null ? null : new Secret(request.Key), request.Label) is { } changed
            ? Results.Json(new CredentialEnvelope(changed), ApiJson.Default.CredentialEnvelope)
            : Problems.UnknownCredential.ToResult(context);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, CredentialStore credentials) =>
        Guid.TryParseExact(id, "D", out var credentialId) && await credentials.DeleteAsync(context.Caller.TenantId, credentialId)
            ? Answers.Ok()
            : Problems.UnknownCredential.ToResult(context);

    private static Problem? Check(CreateCredentialRequest request) => CredentialType.All.Contains(request.Type)
        ? CheckLabel(request.Label) ?? CheckKey(request.Type, request.Key)
        : Problems.Invalid($"type must be one of {string.Join(", ", CredentialType.All)}");

    private static Problem? CheckLabel(string? label) => label is not null && (label.Length > MaxLabelLength || label.Any(char.IsControl))
        ? Problems.Invalid($"label must have at most {MaxLabelLength} characters, none of them a control character")
        : null;

    private static Problem? CheckKey(string type, string key)
    {
        if (key.Length is 0 or > MaxKeyLength || key.Contains('\0'))
        {
            return Problems.Invalid($"key must have 1 to {MaxKeyLength} characters, without NUL");
        }

        return type switch
        {
            CredentialType.Anthropic when key.AsSpan().ContainsAnyExceptInRange('!', '~') =>
                Problems.Invalid("key must have no spaces, line breaks or characters beyond ASCII: it is sent as a header"),
            CredentialType.Bedrock => BedrockSecret.TryRead(key, out var problem) is null ? problem : null,
            _ => null,
        };
    }
}
