using System.Globalization;
using System.Text.Json;
using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Storage;
using Microsoft.OpenApi;

namespace Ash.Server.Http.Description;

/// <summary>
/// Puts the problems that an operation can meet into its description: an example of each by its code, so that what is read
/// there is the list of codes. Which an operation has follows from its address, its method and the statuses that it declares.
/// </summary>
internal static class ErrorExamples
{
    private const string RequestId = "0HNQELRURHCC2:00000001";

    private static readonly IReadOnlyList<(Problem Problem, Func<Route, bool> Fits)> All =
    [
        (Problems.Invalid("body must be object"), _ => true),
        (Problems.UnknownField("systemprompt", ["name", "path", "systemPrompt", "files", "env"]), route => route.HasBody),
        (Problems.SessionIs(SessionStatus.Ended), route => route.IsOf("/api/sessions/{id}") && route.Changes),
        (Problems.InvalidCursor("The cursor must be the id of an event, N or N.k"), route => route.EndsWith("/stream")),
        (Problems.CannotSteer, route => route.EndsWith("/messages")),
        (Problems.InvalidCredential, route => route.Is("POST", "/api/sessions")),
        (Problems.CredentialStaysOutside, route => route.Is("POST", "/api/sessions")),
        (Problems.CredentialNeedsExposing("openai"), route => route.Is("POST", "/api/sessions")),
        (Problems.FilePathRequired, route => route.HasFiles),
        (Problems.InvalidFilePath, route => route.HasFiles || route.EndsWith("/workspace")),
        (Problems.Escapes("../x"), route => route.HasFiles && route.IsOf("/api/agents")),
        (Problems.NotAFile, route => route.HasFiles),
        (Problems.FileTooLarge(104_857_601, 104_857_600), route => route.HasFiles && !route.Changes),
        (Problems.BundleRefused("Invalid bundle: not a gzip file"), route => route.EndsWith("/workspace")),
        (Problems.MissingClaudeMd, route => route.IsOf("/api/agents") && route.Changes),
        (Problems.Unauthorized("Invalid API key"), _ => true),
        (Problems.Forbidden(AccessScope.Write, AccessScope.Read), _ => true),
        (Problems.UnknownSession, route => route.IsOf("/api/sessions/{id}")),
        (Problems.UnknownTurn, route => route.IsOf("/api/sessions/{id}/turns") || route.EndsWith("/stream")),
        (Problems.NoWorkspace, route => route.HasFiles || route.EndsWith("/workspace") || route.EndsWith("/attachments") || route.EndsWith("/fork")),
        (Problems.UnknownAttachment, route => route.IsOf("/api/attachments")),
        (Problems.AttachmentFileGone, route => route.IsOf("/api/attachments") && !route.Changes),
        (Problems.AgentNotFound, route => route.IsOf("/api/agents/{name}") || route.Is("POST", "/api/sessions") || route.EndsWith("/resume")),
        (Problems.MissingAgentFiles, route => route.IsOf("/api/agents/{name}")),
        (Problems.FileNotFound, route => route.HasFiles),
        (Problems.UnknownPrompt, route => route.IsOf("/api/agents/{name}/versions")),
        (Problems.UnknownDeploy(7), route => route.EndsWith("/rollback")),
        (Problems.UnknownApiKey, route => route.IsOf("/api/api-keys/{id}")),
        (Problems.UnknownCredential, route => route.IsOf("/api/credentials/{id}")),
        (Problems.IdempotencyConflict, route => route.Is("POST", "/api/sessions") || route.EndsWith("/messages")),
        (Problems.TurnRunning, route => route.EndsWith("/messages")),
        (Problems.AgentExists("support"), route => route.EndsWith("/clone") || route.Is("PATCH", "/api/agents/{name}")),
        (Problems.MissingContent("support"), route => route.Is("POST", "/api/sessions")),
        (Problems.LastAdminKey, route => route.IsOf("/api/api-keys/{id}")),
        (Problems.SessionEnded, _ => true),
        (Problems.PreconditionFailed, _ => true),
        (Problems.BodyTooLarge(4_194_304), _ => true),
        (Problems.UnsupportedMediaType("text/plain"), _ => true),
        (Problems.RangeNotSatisfiable(12), _ => true),
        (Problems.QueueFull, route => route.EndsWith("/messages")),
        (Problems.RateLimited(TimeSpan.FromSeconds(13)), route => !route.IsOf("/api/internal")),
        (Problems.TooManyWrongKeys(TimeSpan.FromSeconds(13)), _ => true),
        (Problems.ForkFailed("no space is left on the device"), route => route.EndsWith("/fork")),
        (Problems.CreateFailed("the CLI did not start"), route => route.Is("POST", "/api/sessions") || route.EndsWith("/resume")),
        (Problems.ExecFailed("the sandbox was lost"), route => route.EndsWith("/exec")),
        (Problems.NoCapacity, route => route.Starts),
        (Problems.ShuttingDown, route => route.IsOf("/api/sessions") && route.Changes),
        (Problems.InternalDisabled, route => route.IsOf("/api/internal")),
        (Problems.StoreUnavailable, _ => true),
    ];

    public static void AddTo(string path, HttpMethod method, OpenApiOperation operation)
    {
        var route = new Route(method.Method, path, operation.RequestBody is not null);
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (response.Content?.TryGetValue("application/json", out var body) != true
                || body!.Schema is not OpenApiSchemaReference { Reference.Id: nameof(ApiError) })
            {
                continue;
            }

            var number = int.Parse(status, CultureInfo.InvariantCulture);
            ((OpenApiMediaType)body).Examples = All
                .Where(known => known.Problem.Status == number && known.Fits(route))
                .ToDictionary(known => known.Problem.Code, IOpenApiExample (known) => Describe(known.Problem));
        }
    }

    private static OpenApiExample Describe(Problem problem) => new()
    {
        Summary = problem.Detail ?? problem.Message,
        Value = JsonSerializer.SerializeToNode(problem.Describe(RequestId), ApiJson.Default.ApiError),
    };

    /// <summary>What of an operation decides about its problems.</summary>
    private sealed record Route(string Method, string Path, bool HasBody)
    {
        public bool Changes => Method != "GET";

        public bool HasFiles => Path.Contains("/files", StringComparison.Ordinal);

        /// <summary>Whether it waits for a sandbox.</summary>
        public bool Starts => Is("POST", "/api/sessions") || EndsWith("/exec") || EndsWith("/resume") || EndsWith("/messages");

        public bool Is(string method, string path) => Method == method && Path == path;

        public bool IsOf(string path) => Path.StartsWith(path, StringComparison.Ordinal);

        public bool EndsWith(string end) => Path.EndsWith(end, StringComparison.Ordinal);
    }
}
