using System.Diagnostics;
using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Ash.Server.Agents;

/// <summary>The HTTP face of agents: deploy one, look at it, delete it.</summary>
internal static class AgentEndpoints
{
    private const int MaxDeployBytes = 384 * 1024 * 1024;

    private static readonly MinDataRate SlowestUpload = new(bytesPerSecond: 16 * 1024, gracePeriod: TimeSpan.FromSeconds(30));

    private static readonly OtherFields OtherAgentFields = new() { Ignored = ["slug", "description", "model", "backend", "config"] };

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
            .Produces<AgentListEnvelope>()
            .ProducesApiErrors(401);
        agents.MapGet("/{name}", FindAsync)
            .WithName("GetAgent")
            .WithSummary("Look at an agent")
            .Produces<AgentEnvelope>()
            .ProducesApiErrors(401, 404);
        agents.MapDelete("/{name}", DeleteAsync)
            .WithName("DeleteAgent")
            .WithSummary("Delete an agent and all its sessions")
            .Produces<OkEnvelope>()
            .ProducesApiErrors(401, 404);
    }

    private static async Task<IResult> DeployAsync(HttpContext context, AgentDirectory agents, CancellationToken cancellationToken)
    {
        using var place = await agents.BeginDeployAsync(cancellationToken);

        // Who holds a place sends, and does not keep it from the others.
        context.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = SlowestUpload;
        var body = await JsonBody<DeployAgentRequest>.ReadAsync(
            context.Request, ApiJson.Default.DeployAgentRequest, OtherAgentFields, MaxDeployBytes, cancellationToken);
        if (body.Problem is { } problem)
        {
            return problem.ToResult(context);
        }

        return await agents.DeployAsync(context.Caller.TenantId, body.Value!, cancellationToken) switch
        {
            DeployAgent.Deployed(var agent) => Results.Json(
                new AgentEnvelope(agent), ApiJson.Default.AgentEnvelope, statusCode: StatusCodes.Status201Created),
            DeployAgent.Refused(var refused) => refused.ToResult(context),
            _ => throw new UnreachableException(),
        };
    }

    private static async Task<IResult> ListAsync(HttpContext context, AgentDirectory agents, CancellationToken cancellationToken) =>
        Results.Json(
            new AgentListEnvelope(await agents.ListAsync(context.Caller.TenantId, cancellationToken)), ApiJson.Default.AgentListEnvelope);

    private static async Task<IResult> FindAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken) =>
        await agents.FindAsync(context.Caller.TenantId, name, cancellationToken) is { } agent
            ? Results.Json(new AgentEnvelope(agent), ApiJson.Default.AgentEnvelope)
            : Problems.AgentNotFound.ToResult(context);

    private static async Task<IResult> DeleteAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken) =>
        await agents.DeleteAsync(context.Caller.TenantId, name, cancellationToken)
            ? Results.Json(new OkEnvelope(true), ApiJson.Default.OkEnvelope)
            : Problems.AgentNotFound.ToResult(context);
}
