using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using SessionOptions = Ash.Server.Sessions.SessionOptions;

namespace Ash.Server.Agents;

/// <summary>The HTTP face of agents: deploy one, look at it, change it, delete it.</summary>
internal static class AgentEndpoints
{
    private const int MaxDeployBytes = 384 * 1024 * 1024;
    private const int MaxChangeBytes = 8 * 1024 * 1024;

    private static readonly MinDataRate SlowestUpload = new(bytesPerSecond: 16 * 1024, gracePeriod: TimeSpan.FromSeconds(30));

    private static readonly OtherFields OtherAgentFields = new() { Ignored = ["slug", "description", "model", "backend", "config", "status"] };

    public static void MapAgents(this IEndpointRouteBuilder routes)
    {
        var agents = routes.MapGroup("/api/agents").WithTags("agents");

        agents.MapPost("/", DeployAsync)
            .WithName("DeployAgent")
            .WithSummary("Deploy an agent, or its next version")
            .Accepts<DeployAgentRequest>("application/json")
            .WithBody("The agent's name, and its folder: as files, or as a path on the server.")
            .Produces<AgentEnvelope>(StatusCodes.Status201Created)
            .ProducesApiErrors(400, 401, 413, 415)
            .WithMetadata(new CreateLimit("agents"));
        agents.MapGet("/", ListAsync)
            .WithName("ListAgents")
            .WithSummary("List agents by name")
            .WithPages()
            .Produces<AgentListEnvelope>()
            .ProducesApiErrors(400, 401);
        agents.MapGet("/{name}", FindAsync)
            .WithName("GetAgent")
            .WithSummary("Look at an agent")
            .WithHeader("If-None-Match", "The ETag of the state that is known; where it is that still, 304 says so.")
            .Produces<AgentEnvelope>()
            .Produces(StatusCodes.Status304NotModified)
            .ProducesApiErrors(401, 404);
        agents.MapPatch("/{name}", UpdateAsync)
            .WithName("UpdateAgent")
            .WithSummary("Change an agent's name, environment, configuration or prompt")
            .Accepts<UpdateAgentRequest>("application/json")
            .WithBody("What is to change.")
            .WithIfMatch()
            .Produces<AgentEnvelope>()
            .ProducesApiErrors(400, 401, 404, 409, 412, 413, 415);
        agents.MapDelete("/{name}", DeleteAsync)
            .WithName("DeleteAgent")
            .WithSummary("Delete an agent and all its sessions")
            .WithIfMatch()
            .Produces<OkEnvelope>()
            .ProducesApiErrors(401, 404, 412);
        agents.MapGet("/{name}/config", FindConfigAsync)
            .WithName("GetAgentConfig")
            .WithSummary("Read what is kept with an agent for its users")
            .Produces<AgentConfigEnvelope>()
            .ProducesApiErrors(401, 404);
        agents.MapPatch("/{name}/config", UpdateConfigAsync)
            .WithName("UpdateAgentConfig")
            .WithSummary("Add to, or replace in, what is kept with an agent for its users")
            .Accepts<JsonObject>("application/json")
            .WithBody("An object; its fields take the place of those of the same names.")
            .WithIfMatch()
            .Produces<AgentConfigEnvelope>()
            .ProducesApiErrors(400, 401, 404, 412, 413, 415);
        agents.MapPost("/{name}/clone", CloneAsync)
            .WithName("CloneAgent")
            .WithSummary("Make an agent of an agent: with all but its sessions")
            .Accepts<CloneAgentRequest>("application/json")
            .WithBody("The new agent's name.")
            .Produces<AgentEnvelope>(StatusCodes.Status201Created)
            .ProducesApiErrors(400, 401, 404, 409, 413, 415);
        agents.MapGet("/{name}/deploys", ListDeploysAsync)
            .WithName("ListDeploys")
            .WithSummary("List an agent's deploys, newest first")
            .WithPages()
            .Produces<DeployListEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        agents.MapPost("/{name}/rollback", RollBackAsync)
            .WithName("RollBackAgent")
            .WithSummary("Make the content of an earlier deploy that of the next version")
            .Accepts<RollBackRequest>("application/json")
            .WithBody("Which deploy.")
            .WithIfMatch()
            .Produces<AgentEnvelope>()
            .ProducesApiErrors(400, 401, 404, 412, 413, 415);
    }

    private static async Task<IResult> DeployAsync(HttpContext context, AgentDeploys deploys, CancellationToken cancellationToken)
    {
        using var place = await deploys.BeginDeployAsync(cancellationToken);

        // Who holds a place sends, and does not keep it from the others.
        context.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = SlowestUpload;
        var body = await JsonBody<DeployAgentRequest>.ReadAsync(
            context.Request, ApiJson.Default.DeployAgentRequest, OtherAgentFields, MaxDeployBytes, cancellationToken);
        if (body.Problem is { } problem)
        {
            return problem.ToResult(context);
        }

        return Answer(
            context, await deploys.DeployAsync(context.Caller.TenantId, body.Value!, cancellationToken), StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListAsync(HttpContext context, AgentDirectory agents, CancellationToken cancellationToken)
    {
        if (ListPage.Read(context.Request.Query, out var page) is { } problem)
        {
            return problem.ToResult(context);
        }

        var listed = await agents.ListAsync(context.Caller.TenantId, page, cancellationToken);
        return Results.Json(new AgentListEnvelope(listed.Items) { Total = listed.Total }, ApiJson.Default.AgentListEnvelope);
    }

    private static async Task<IResult> FindAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken) =>
        await agents.FindAsync(context.Caller.TenantId, name, cancellationToken) is { } agent
            ? Show(context, agent, StatusCodes.Status200OK)
            : Problems.AgentNotFound.ToResult(context);

    private static async Task<IResult> UpdateAsync(
        HttpContext context, string name, AgentDirectory agents, AgentDeploys deploys, CancellationToken cancellationToken)
    {
        var body = await JsonBody<UpdateAgentRequest>.ReadAsync(
            context.Request, ApiJson.Default.UpdateAgentRequest, OtherAgentFields, MaxChangeBytes, cancellationToken);
        if ((body.Problem ?? Refusal(body.Value!)) is { } problem)
        {
            return problem.ToResult(context);
        }

        var request = body.Value!;
        var expected = Precondition.Of(context.Request);
        var tenantId = context.Caller.TenantId;
        if (request.SystemPrompt is { } prompt)
        {
            // A prompt is another version, and so a step of its own: nothing of the change is made where the rest would be refused.
            if (await agents.CheckAsync(tenantId, name, request, expected, cancellationToken) is { } refused)
            {
                return refused.ToResult(context);
            }

            var changed = await deploys.ChangeAsync(
                tenantId,
                name,
                expected,
                folder =>
                {
                    folder.AddPrompt(prompt, mayReplace: true);
                    return null;
                },
                cancellationToken);
            if (changed is DeployAgent.Refused || request with { SystemPrompt = null } == new UpdateAgentRequest())
            {
                return Answer(context, changed);
            }

            expected = default;
        }

        return Answer(context, await agents.UpdateAsync(tenantId, name, request, expected));
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken) =>
        await agents.DeleteAsync(context.Caller.TenantId, name, Precondition.Of(context.Request), cancellationToken) is { } problem
            ? problem.ToResult(context)
            : Answers.Ok();

    private static async Task<IResult> FindConfigAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken) =>
        await agents.FindConfigAsync(context.Caller.TenantId, name, cancellationToken) is { } config
            ? Results.Json(new AgentConfigEnvelope(config), ApiJson.Default.AgentConfigEnvelope)
            : Problems.AgentNotFound.ToResult(context);

    private static async Task<IResult> UpdateConfigAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken)
    {
        var body = await JsonBody<JsonObject>.ReadAnyAsync(context.Request, ApiJson.Default.JsonObject, MaxChangeBytes, cancellationToken);
        if (body.Problem is { } unread)
        {
            return unread.ToResult(context);
        }

        var request = new UpdateAgentRequest { Config = JsonSerializer.SerializeToElement(body.Value!, ApiJson.Default.JsonObject) };
        if (Refusal(request) is { } problem)
        {
            return problem.ToResult(context);
        }

        return await agents.UpdateAsync(context.Caller.TenantId, name, request, Precondition.Of(context.Request)) switch
        {
            DeployAgent.Refused(var refused) => refused.ToResult(context),
            _ => await FindConfigAsync(context, name, agents, cancellationToken),
        };
    }

    private static async Task<IResult> CloneAsync(
        HttpContext context, string name, AgentDeploys deploys, CancellationToken cancellationToken)
    {
        var body = await JsonBody<CloneAgentRequest>.ReadAsync(
            context.Request, ApiJson.Default.CloneAgentRequest, MaxChangeBytes, cancellationToken);
        return body.Problem is { } problem
            ? problem.ToResult(context)
            : Answer(
                context, await deploys.CloneAsync(context.Caller.TenantId, name, body.Value!.Name), StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListDeploysAsync(
        HttpContext context, string name, AgentDeploys deploys, CancellationToken cancellationToken)
    {
        if (ListPage.Read(context.Request.Query, out var page) is { } problem)
        {
            return problem.ToResult(context);
        }

        return await deploys.ListDeploysAsync(context.Caller.TenantId, name, page, cancellationToken) is { } listed
            ? Results.Json(new DeployListEnvelope(listed.Items) { Total = listed.Total }, ApiJson.Default.DeployListEnvelope)
            : Problems.AgentNotFound.ToResult(context);
    }

    private static async Task<IResult> RollBackAsync(
        HttpContext context, string name, AgentDeploys deploys, CancellationToken cancellationToken)
    {
        var body = await JsonBody<RollBackRequest>.ReadAsync(
            context.Request, ApiJson.Default.RollBackRequest, MaxChangeBytes, cancellationToken);
        return body.Problem is { } problem
            ? problem.ToResult(context)
            : Answer(context, await deploys.RollBackAsync(
                context.Caller.TenantId, name, body.Value!.Version, Precondition.Of(context.Request)));
    }

    private static IResult Answer(HttpContext context, DeployAgent outcome, int status = StatusCodes.Status200OK) => outcome switch
    {
        DeployAgent.Deployed(var agent) => Show(context, agent, status),
        DeployAgent.Refused(var refused) => refused.ToResult(context),
        _ => throw new UnreachableException(),
    };

    private static IResult Show(HttpContext context, AgentInfo agent, int status)
    {
        var tag = AgentTag.Of(agent.Version, agent.UpdatedAt);
        context.Response.Headers.ETag = tag;
        return HttpMethods.IsGet(context.Request.Method) && Precondition.HasAlready(context.Request, tag)
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Json(new AgentEnvelope(agent), ApiJson.Default.AgentEnvelope, statusCode: status);
    }

    private static Problem? Refusal(UpdateAgentRequest request) =>
        request.Name is { } newName && AgentDeploys.RefusalOfName(newName) is { } invalid ? invalid
        : request.Config is { ValueKind: not JsonValueKind.Object } ? Problems.Invalid("body/config must be object")
        : request.SystemPrompt is { } prompt && SessionOptions.RefusalOfPrompt(prompt) is { } tooLong ? Problems.Invalid(tooLong)
        : EnvironmentNames.Refusal("env", request.Env) is { } reason ? Problems.Invalid(reason)
        : request.Config is { } config && AgentDefaults.Refusal(config) is { } wrong ? Problems.Invalid(wrong)
        : null;
}
