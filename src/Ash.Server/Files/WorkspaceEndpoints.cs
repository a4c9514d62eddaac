using Ash.Protocol.Api;
using Ash.Runner.Bundles;
using Ash.Runner.Workspaces;
using Ash.Server.Http;

namespace Ash.Server.Files;

/// <summary>The HTTP face of whole workspaces: take one away as a bundle, lay a bundle over one.</summary>
internal static class WorkspaceEndpoints
{
    private const string BundleType = "application/gzip";

    /// <summary>Of a bundle within JSON, and of the JSON.</summary>
    private const int MaxJsonBundleBytes = 104_857_600;
    private const int MaxJsonBytes = 140_509_184;

    private static readonly string[] Fields = ["bundle"];

    public static void MapWorkspaces(this IEndpointRouteBuilder routes)
    {
        var workspace = routes.MapGroup("/api/sessions/{id}/workspace")
            .WithTags("files")
            .AddEndpointFilter(FileFailures.FilterAsync);

        workspace.MapGet("/", DownloadAsync)
            .WithName("DownloadWorkspace")
            .WithSummary("Download a session's workspace as a tar.gz")
            .ProducesArchive()
            .ProducesApiErrors(400, 401, 404, 413);
        workspace.MapPost("/", UploadAsync)
            .WithName("UploadWorkspace")
            .WithSummary("Lay a tar.gz over a session's workspace")
            .Accepts<RestoreWorkspaceRequest>("application/json", BundleType)
            .WithBody("The bundle in base64, of at most 100 MB; or the bundle itself, as application/gzip.")
            .Produces<RestoreWorkspaceResult>()
            .ProducesApiErrors(400, 401, 404, 413, 415);
    }

    private static async Task<IResult> DownloadAsync(
        HttpContext context, string id, SessionWorkspaces workspaces, BundleLimits limits, CancellationToken cancellationToken)
    {
        var found = await workspaces.OpenAsync(context, id, cancellationToken);
        if (found.Problem is { } none)
        {
            return none.ToResult(context);
        }

        using var workspace = found.Workspace!; // No problem: there is one.
        if (!BundlePacking.Fits(workspace.Files, limits))
        {
            return Problems.TooLarge(BundleException.TooLarge(limits.Bytes).Message).ToResult(context);
        }

        context.Response.ContentType = BundleType;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{workspace.Session.Id}.tar.gz\"";
        context.Response.Headers["X-Ash-Source"] = workspace.Source;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await SendAsync(context, workspace.Files, limits, cancellationToken);
        }

        return Results.Empty;
    }

    private static async Task SendAsync(
        HttpContext context, WorkspaceFiles files, BundleLimits limits, CancellationToken cancellationToken)
    {
        try
        {
            await BundlePacking.WriteAsync(files, context.Response.Body, limits, cancellationToken);
        }
        catch (BundleException)
        {
            // It grows faster than it is read. Only a broken connection says that what came is not whole.
            context.Abort();
        }
    }

    private static async Task<IResult> UploadAsync(
        HttpContext context, string id, SessionWorkspaces workspaces, BundleLimits limits, CancellationToken cancellationToken)
    {
        var found = await workspaces.OpenToWriteAsync(context, id, cancellationToken);
        if (found.Problem is { } none)
        {
            return none.ToResult(context);
        }

        using var workspace = found.Workspace!; // No problem: there is one.
        using var staging = workspace.Files.Stage();
        var left = new LeftOut();
        try
        {
            var unpacking = new BundleUnpacking(staging, workspace.Files.IsReadOnly, limits, left);
            await ReadAsync(context.Request, unpacking, limits, cancellationToken);
        }
        catch (BundleException refused)
        {
            var problem = refused.IsTooLarge ? Problems.TooLarge(refused.Message) : Problems.BundleRefused(refused.Message);
            return problem.ToResult(context);
        }

        if (await workspaces.FindObstacleAsync(context, workspace, cancellationToken) is { } late)
        {
            return late.ToResult(context);
        }

        var written = workspace.Files.Merge(staging, left);
        var result = new RestoreWorkspaceResult
        {
            Message = workspace.IsLive ? "Workspace restored to live sandbox" : "Workspace saved as snapshot",
            Written = written,
            Skipped = left.Count,
            SkippedEntries = [.. left.Named.Select(named => new SkippedEntry(named.Path, named.Reason))],
        };
        return Results.Json(result, ApiJson.Default.RestoreWorkspaceResult);
    }

    private static async Task ReadAsync(
        HttpRequest request, BundleUnpacking unpacking, BundleLimits limits, CancellationToken cancellationToken)
    {
        if (IsBundle(request))
        {
            await using var bundle = new LimitedStream(request.Body, limits.Bytes, () => BundleException.TooLarge(limits.Bytes));
            await unpacking.RunAsync(bundle, cancellationToken);
            return;
        }

        using var body = await JsonBodyReader.BeginAsync(request, MaxJsonBytes, cancellationToken);
        var isThere = false;
        await body.ReadObjectAsync(
            "body",
            Fields,
            async _ =>
            {
                isThere = !isThere ? true : throw new RefusedRequestException("body has more than one bundle");
                await using var content = await body.BeginBase64Async("body/bundle", cancellationToken);
                await using var bundle = new LimitedStream(
                    content, MaxJsonBundleBytes, () => BundleException.TooLarge(MaxJsonBundleBytes));
                await unpacking.RunAsync(bundle, cancellationToken);
                await content.PassOverAsync(cancellationToken);
            },
            cancellationToken);
        await body.EndAsync(cancellationToken);
        if (!isThere)
        {
            throw new RefusedRequestException("body must have required property 'bundle'");
        }
    }

    private static bool IsBundle(HttpRequest request)
    {
        var type = request.ContentType?.Split(';')[0].Trim();
        return string.Equals(type, BundleType, StringComparison.OrdinalIgnoreCase)
            || string.Equals(type, "application/x-gzip", StringComparison.OrdinalIgnoreCase);
    }
}
