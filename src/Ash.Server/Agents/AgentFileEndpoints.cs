using System.Net.Mime;
using System.Text;
using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Files;
using Ash.Server.Http;

namespace Ash.Server.Agents;

/// <summary>The HTTP face of the files of an agent's newest content (contract 3.1). A change of them is the agent's next version.</summary>
internal static class AgentFileEndpoints
{
    private const int MaxTextBytes = 1_048_576;

    /// <summary>Of <c>api/agents/NAME/files</c>, before a file's path.</summary>
    private const int PathSegments = 4;

    private const int MaxWriteBytes = 384 * 1024 * 1024;

    public static void MapAgentFiles(this IEndpointRouteBuilder routes)
    {
        var agent = routes.MapGroup("/api/agents/{name}").WithTags("agents");

        agent.MapGet("/files", ListAsync)
            .WithName("ListAgentFiles")
            .WithSummary("List the files of an agent")
            .Produces<AgentFileListEnvelope>()
            .ProducesApiErrors(401, 404);
        agent.MapGet("/files/{*path}", ReadAsync)
            .WithName("ReadAgentFile")
            .WithSummary("Read a file of an agent")
            .WithParameter("path", "From the agent's folder on.")
            .WithParameter("format", "json (where absent) gives text of up to 1 MB; raw gives the bytes, of which a Range may be asked for.")
            .Produces<AgentFileContent>()
            .ProducesFile()
            .ProducesApiErrors(400, 401, 404, 416);
        agent.MapPost("/files", WriteAsync)
            .WithName("WriteAgentFiles")
            .WithSummary("Write files of an agent: its next version")
            .Accepts<WriteAgentFilesRequest>("application/json")
            .WithBody("The files. Those that are there and have the same path are replaced; all are written, or none.")
            .WithIfMatch()
            .Produces<WrittenEnvelope>()
            .ProducesApiErrors(400, 401, 404, 412, 413, 415);
        agent.MapDelete("/files/{*path}", DeleteAsync)
            .WithName("DeleteAgentFile")
            .WithSummary("Delete a file of an agent: its next version")
            .WithParameter("path", "From the agent's folder on.")
            .WithIfMatch()
            .Produces<DeletedEnvelope>()
            .ProducesApiErrors(400, 401, 404, 412);
        agent.MapGet("/download", DownloadAsync)
            .WithName("DownloadAgent")
            .WithSummary("Download an agent's folder as a tar.gz archive")
            .ProducesArchive()
            .ProducesApiErrors(401, 404);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken)
    {
        var found = await AgentFiles.OpenAsync(context.Caller.TenantId, name, agents, cancellationToken);
        var asksForAFile = context.Request.Path.Value!.EndsWith('/'); // A request has a path.
        return (found.Problem ?? (asksForAFile ? Problems.FilePathRequired : null)) is { } problem
            ? problem.ToResult(context)
            : Results.Json(new AgentFileListEnvelope(found.Files!.List()), ApiJson.Default.AgentFileListEnvelope);
    }

    private static async Task<IResult> ReadAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken, string? path = null, string? format = null)
    {
        if (format is not (null or "json" or "raw"))
        {
            return Problems.Invalid("format must be json or raw").ToResult(context);
        }

        path = RouteRest.Of(context, PathSegments);
        var opened = await AgentFiles.OpenAsync(context.Caller.TenantId, name, agents, cancellationToken);
        var problem = opened.Problem;
        var file = problem is null ? opened.Files!.Find(path, out problem) : null;
        if (file is null)
        {
            return problem!.ToResult(context); // There is one where there is no file.
        }

        if (format == "raw")
        {
            using var handle = File.OpenHandle(file.FullName, options: FileOptions.Asynchronous);
            var content = new FileContent(handle, file.Name, TypeOf(file));
            if (!content.TryChoose(context, out problem))
            {
                return problem.ToResult(context);
            }

            await content.SendAsync(context, cancellationToken);
            return Results.Empty;
        }

        return file.Length > MaxTextBytes
            ? Problems.FileTooLarge(file.Length, MaxTextBytes).ToResult(context)
            : Results.Json(
                new AgentFileContent(path, await File.ReadAllTextAsync(file.FullName, Encoding.UTF8, cancellationToken), file.Length),
                ApiJson.Default.AgentFileContent);
    }

    private static async Task<IResult> WriteAsync(
        HttpContext context, string name, AgentDeploys deploys, CancellationToken cancellationToken)
    {
        using var place = await deploys.BeginDeployAsync(cancellationToken);
        var body = await JsonBody<WriteAgentFilesRequest>.ReadAsync(
            context.Request, ApiJson.Default.WriteAgentFilesRequest, MaxWriteBytes, cancellationToken);
        if (body.Problem is { } problem)
        {
            return problem.ToResult(context);
        }

        var files = body.Value!.Files;
        var outcome = await deploys.ChangeAsync(
            context.Caller.TenantId,
            name,
            Precondition.Of(context.Request),
            folder => files.FirstOrDefault(file => file is not null && AgentFiles.Leaves(file.Path)) is { } leaving
                ? Problems.Escapes(leaving.Path)
                : folder.Add(files, mayReplace: true) is { } reason ? Problems.Invalid(reason) : null,
            cancellationToken);
        return outcome is DeployAgent.Refused(var refused)
            ? refused.ToResult(context)
            : Results.Json(new WrittenEnvelope(files.Count), ApiJson.Default.WrittenEnvelope);
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext context, string name, AgentDeploys deploys, CancellationToken cancellationToken, string? path = null)
    {
        path = RouteRest.Of(context, PathSegments);
        var outcome = await deploys.ChangeAsync(
            context.Caller.TenantId,
            name,
            Precondition.Of(context.Request),
            folder => path.Length == 0 ? Problems.FilePathRequired
                : AgentFolder.Refusal(path) is not null ? new Problem(400, "invalid_path", "Path escapes agent directory")
                : folder.Remove(path) ? null
                : Problems.FileNotFound,
            cancellationToken);
        return outcome is DeployAgent.Refused(var refused)
            ? refused.ToResult(context)
            : Results.Json(new DeletedEnvelope(true), ApiJson.Default.DeletedEnvelope);
    }

    private static async Task<IResult> DownloadAsync(
        HttpContext context, string name, AgentDirectory agents, CancellationToken cancellationToken)
    {
        var opened = await AgentFiles.OpenAsync(context.Caller.TenantId, name, agents, cancellationToken);
        return opened.Problem is { } problem
            ? problem.ToResult(context)
            : Results.Stream(
                output => opened.Files!.WriteArchiveAsync(output, cancellationToken), MediaTypeNames.Application.GZip, $"{name}.tar.gz");
    }

    private static string TypeOf(FileInfo file) => file.Extension switch
    {
        ".md" => "text/markdown",
        ".json" => "application/json",
        _ => "application/octet-stream",
    };
}
