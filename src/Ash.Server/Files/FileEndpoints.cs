using System.Buffers;
using System.Text;
using Ash.Protocol.Api;
using Ash.Runner.Kernel;
using Ash.Runner.Workspaces;
using Ash.Server.Http;
using Microsoft.Win32.SafeHandles;

namespace Ash.Server.Files;

/// <summary>The HTTP face of a session's files: list them, read one, write some, delete one.</summary>
internal static class FileEndpoints
{
    private const int MaxWriteBytes = 209_715_200;
    private const int MaxTextBytes = 1_048_576;
    private const int MaxListedEntries = 200_000;

    /// <summary>In one answer; a larger file is read in ranges.</summary>
    private const int MaxRawBytes = 104_857_600;

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        var files = routes.MapGroup("/api/sessions/{id}/files").WithTags("files").AddEndpointFilter(FileFailures.FilterAsync);

        files.MapGet("/", ListAsync)
            .WithName("ListFiles")
            .WithSummary("List the files of a session's workspace")
            .WithParameter(
                "includeHidden", "false leaves out caches, virtual environments and temporary folders; true where absent.")
            .Produces<FileListing>()
            .ProducesApiErrors(400, 401, 404);
        files.MapGet("/{*path}", ReadAsync)
            .WithName("ReadFile")
            .WithSummary("Read a file, as it is or as text")
            .WithParameter("path", "From the workspace on.")
            .WithParameter("format", "raw, the bytes (default), at most 100 MB at a time; or json, as text of at most 1 MB.")
            .Produces<FileText>()
            .ProducesFile()
            .ProducesApiErrors(400, 401, 404, 416);
        files.MapPost("/", WriteAsync)
            .WithName("WriteFiles")
            .WithSummary("Write files into a session's workspace")
            .Accepts<WriteFilesRequest>("application/json")
            .WithBody("The files; each has an outcome of its own.")
            .Produces<WriteFilesResult>()
            .ProducesApiErrors(400, 401, 404, 413, 415);
        files.MapDelete("/{*path}", DeleteAsync)
            .WithName("DeleteFile")
            .WithSummary("Delete a file of a session's workspace")
            .WithParameter("path", "From the workspace on.")
            .Produces<DeleteFileResult>()
            .ProducesApiErrors(400, 401, 404);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        string id,
        SessionWorkspaces workspaces,
        CancellationToken cancellationToken,
        string? includeHidden = null)
    {
        if (includeHidden is not (null or "true" or "false"))
        {
            return Problems.Invalid("querystring/includeHidden must be true or false").ToResult(context);
        }

        var found = await workspaces.OpenAsync(context, id, cancellationToken);
        if (found.Problem is { } none)
        {
            return none.ToResult(context);
        }

        using var workspace = found.Workspace!; // No problem: there is one.
        if (context.Request.Path.Value!.EndsWith('/'))
        {
            // Of a file without a name, and not of all of them.
            return Problems.FilePathRequired.ToResult(context);
        }

        context.Response.ContentType = "application/json; charset=utf-8";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Results.Empty;
        }

        var listing = workspace.Files.List(FileNames.IsListed(includeHidden is not "false"), MaxListedEntries);
        using var writer = new FileListWriter(context.Response.BodyWriter);
        await writer.WriteAsync(listing, workspace.Source, cancellationToken);
        return Results.Empty;
    }

    private static async Task<IResult> ReadAsync(
        HttpContext context,
        string id,
        SessionWorkspaces workspaces,
        CancellationToken cancellationToken,
        string? path = null,
        string? format = null)
    {
        if (format is not (null or "raw" or "json"))
        {
            return Problems.Invalid("querystring/format must be raw or json").ToResult(context);
        }

        var found = await workspaces.OpenAsync(context, id, cancellationToken);
        if (found.Problem is { } none)
        {
            return none.ToResult(context);
        }

        using var workspace = found.Workspace!; // No problem: there is one.
        if (FilePath.Read(context, out var normal) is { } invalid)
        {
            return invalid.ToResult(context);
        }

        using var file = workspace.Files.OpenRead(normal, out var isThere);
        if (file is null)
        {
            return (isThere ? Problems.NotAFile : Problems.FileNotFound).ToResult(context);
        }

        return format is "json"
            ? await ReadTextAsync(context, normal, file, workspace.Source, cancellationToken)
            : await SendAsync(context, normal, file, workspace.Source, cancellationToken);
    }

    private static async Task<IResult> ReadTextAsync(
        HttpContext context, string path, SafeFileHandle file, string source, CancellationToken cancellationToken)
    {
        var size = RandomAccess.GetLength(file);
        if (size > MaxTextBytes)
        {
            return Problems.FileTooLarge(size, MaxTextBytes).ToResult(context);
        }

        var content = ArrayPool<byte>.Shared.Rent((int)size + 1);
        try
        {
            var filled = 0;
            int read;
            do
            {
                var rest = content.AsMemory(filled, (int)size - filled);
                read = await RandomAccess.ReadAsync(file, rest, filled, cancellationToken);
                filled += read;
            }
            while (read > 0);

            return Results.Json(
                new FileText(path, Encoding.UTF8.GetString(content, 0, filled), filled, source), ApiJson.Default.FileText);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(content);
        }
    }

    private static async Task<IResult> SendAsync(
        HttpContext context, string path, SafeFileHandle file, string source, CancellationToken cancellationToken)
    {
        var content = new FileContent(file, WorkspacePath.Split(path).Name, FileNames.TypeOf(path));
        if (!content.TryChoose(context, out var problem))
        {
            return problem.ToResult(context);
        }

        if (content.Count > MaxRawBytes)
        {
            return Problems.FileTooLarge(content.Count, MaxRawBytes).ToResult(context);
        }

        context.Response.Headers["X-Ash-Source"] = source;
        await content.SendAsync(context, cancellationToken);
        return Results.Empty;
    }

    private static async Task<IResult> WriteAsync(
        HttpContext context, string id, SessionWorkspaces workspaces, CancellationToken cancellationToken)
    {
        var found = await workspaces.OpenToWriteAsync(context, id, cancellationToken);
        if (found.Problem is { } none)
        {
            return none.ToResult(context);
        }

        using var workspace = found.Workspace!; // No problem: there is one.
        using var staging = workspace.Files.Stage();
        var batch = new FileBatch(staging);
        using (var body = await JsonBodyReader.BeginAsync(context.Request, MaxWriteBytes, cancellationToken))
        {
            await batch.ReadAsync(body, cancellationToken);
        }

        if (await workspaces.FindObstacleAsync(context, workspace, cancellationToken) is { } late)
        {
            return late.ToResult(context);
        }

        return Results.Json(new WriteFilesResult(batch.Place(workspace.Files)), ApiJson.Default.WriteFilesResult);
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext context, string id, SessionWorkspaces workspaces, CancellationToken cancellationToken, string? path = null)
    {
        var found = await workspaces.OpenToWriteAsync(context, id, cancellationToken);
        if (found.Problem is { } none)
        {
            return none.ToResult(context);
        }

        using var workspace = found.Workspace!; // No problem: there is one.
        if (FilePath.Read(context, out var normal) is { } invalid)
        {
            return invalid.ToResult(context);
        }

        if (workspace.Files.IsReadOnly(normal))
        {
            return Problems.PathNotAllowed(WorkspaceFiles.ReadOnlyReason).ToResult(context);
        }

        return workspace.Files.Remove(normal) switch
        {
            FileKind.None => Problems.FileNotFound.ToResult(context),
            FileKind.Folder => Problems.NotAFile.ToResult(context),
            _ => Results.Json(new DeleteFileResult(normal, Deleted: true), ApiJson.Default.DeleteFileResult),
        };
    }
}
