using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Http;

namespace Ash.Server.Agents;

/// <summary>The HTTP face of an agent's prompt versions (contract 3.2). <c>:version</c> is a number or an id.</summary>
internal static class PromptVersionEndpoints
{
    private const int MaxBytes = 8 * 1024 * 1024;
    private const int MaxNameLength = 255;
    private const int MaxNotesLength = 10_000;

    public static void MapPromptVersions(this IEndpointRouteBuilder routes)
    {
        var versions = routes.MapGroup("/api/agents/{name}/versions").WithTags("agents");

        versions.MapGet("/", ListAsync)
            .WithName("ListVersions")
            .WithSummary("List an agent's prompt versions, newest first")
            .WithPages()
            .Produces<PromptVersionListEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        versions.MapPost("/", CreateAsync)
            .WithName("CreateVersion")
            .WithSummary("Make the next prompt version of an agent")
            .Accepts<PromptVersionRequest>("application/json")
            .WithBody("The version; it is not active.")
            .Produces<PromptVersionEnvelope>(StatusCodes.Status201Created)
            .ProducesApiErrors(400, 401, 404, 413, 415);
        versions.MapGet("/{version}", FindAsync)
            .WithName("GetVersion")
            .WithSummary("Look at a prompt version")
            .Produces<PromptVersionEnvelope>()
            .ProducesApiErrors(401, 404);
        versions.MapPatch("/{version}", UpdateAsync)
            .WithName("UpdateVersion")
            .WithSummary("Change a prompt version; sessions keep what they began with")
            .Accepts<PromptVersionRequest>("application/json")
            .WithBody("What is to change.")
            .Produces<PromptVersionEnvelope>()
            .ProducesApiErrors(400, 401, 404, 413, 415);
        versions.MapDelete("/{version}", DeleteAsync)
            .WithName("DeleteVersion")
            .WithSummary("Delete a prompt version; an active one's place is CLAUDE.md's again")
            .Produces<OkEnvelope>()
            .ProducesApiErrors(401, 404);
        versions.MapPost("/{version}/activate", ActivateAsync)
            .WithName("ActivateVersion")
            .WithSummary("Make a prompt version that of new sessions")
            .Produces<ActivatedEnvelope>()
            .ProducesApiErrors(401, 404);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, string name, PromptVersions versions, CancellationToken cancellationToken)
    {
        if (ListPage.Read(context.Request.Query, out var page) is { } problem)
        {
            return problem.ToResult(context);
        }

        return await versions.ListAsync(context.Caller.TenantId, name, page, cancellationToken) is { } listed
            ? Results.Json(new PromptVersionListEnvelope(listed.Items) { Total = listed.Total }, ApiJson.Default.PromptVersionListEnvelope)
            : Problems.AgentNotFound.ToResult(context);
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, string name, PromptVersions versions, CancellationToken cancellationToken)
    {
        var body = await ReadAsync(context.Request, cancellationToken);
        return body.Problem is { } problem
            ? problem.ToResult(context)
            : Show(context, await versions.CreateAsync(context.Caller.TenantId, name, body.Value!), StatusCodes.Status201Created);
    }

    private static async Task<IResult> FindAsync(
        HttpContext context, string name, string version, PromptVersions versions, CancellationToken cancellationToken) =>
        Show(context, await versions.FindAsync(context.Caller.TenantId, name, version, cancellationToken));

    private static async Task<IResult> UpdateAsync(
        HttpContext context, string name, string version, PromptVersions versions, CancellationToken cancellationToken)
    {
        var body = await ReadAsync(context.Request, cancellationToken);
        if (body.Problem is { } problem)
        {
            return problem.ToResult(context);
        }

        return body.Value!.CloneFrom is not null
            ? Problems.Invalid("cloneFrom is a field of new versions only").ToResult(context)
            : Show(context, await versions.UpdateAsync(context.Caller.TenantId, name, version, body.Value));
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string name, string version, PromptVersions versions) =>
        (await versions.DeleteAsync(context.Caller.TenantId, name, version)).Problem is { } problem
            ? problem.ToResult(context)
            : Answers.Ok();

    private static async Task<IResult> ActivateAsync(HttpContext context, string name, string version, PromptVersions versions)
    {
        var outcome = await versions.ActivateAsync(context.Caller.TenantId, name, version);
        return outcome.Problem is { } problem
            ? problem.ToResult(context)
            : Results.Json(new ActivatedEnvelope(true, outcome.Version!.VersionNumber), ApiJson.Default.ActivatedEnvelope);
    }

    private static async Task<JsonBody<PromptVersionRequest>> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        (await JsonBody<PromptVersionRequest>.ReadAsync(request, ApiJson.Default.PromptVersionRequest, MaxBytes, cancellationToken))
        .Check(Refusal);

    private static Problem? Refusal(PromptVersionRequest request) =>
        Length(request.Name, "name", MaxNameLength)
        ?? Length(request.SystemPrompt, "systemPrompt", AgentDeploys.MaxPromptLength)
        ?? Length(request.ReleaseNotes, "releaseNotes", MaxNotesLength)
        ?? (request.KnowledgeFiles?.Contains(null!) == true ? Problems.Invalid("knowledgeFiles must not hold null") : null)
        ?? (request.CloneFrom is null or { ValueKind: JsonValueKind.Number or JsonValueKind.String or JsonValueKind.Null }
            ? null
            : Problems.Invalid("cloneFrom must be the number or the id of a version"));

    private static Problem? Length(string? text, string field, int max) =>
        text?.Length > max ? Problems.Invalid($"{field} must NOT have more than {max} characters") : null;

    private static IResult Show(HttpContext context, PromptVersionOutcome outcome, int status = StatusCodes.Status200OK) =>
        outcome.Problem is { } problem
            ? problem.ToResult(context)
            : Results.Json(new PromptVersionEnvelope(outcome.Version!), ApiJson.Default.PromptVersionEnvelope, statusCode: status);
}
