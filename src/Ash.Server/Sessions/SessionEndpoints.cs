using System.Diagnostics;
using System.Text;
using Ash.Protocol.Api;
using Ash.Server.Access;
using Ash.Server.Agents;
using Ash.Server.Http;
using Ash.Server.Telemetry;

namespace Ash.Server.Sessions;

/// <summary>The HTTP face of sessions: create one, look at it, park it, wake it, run a command in it, end it.</summary>
internal static class SessionEndpoints
{
    private const int MaxBodyBytes = 4 * 1024 * 1024;
    private const int DefaultExecTimeoutMs = 30_000;
    private const int MaxExecTimeoutMs = 300_000;

    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        var sessions = routes.MapGroup("/api/sessions").WithTags("sessions");

        sessions.MapPost("/", CreateAsync)
            .WithName("CreateSession")
            .WithSummary("Create a session; its sandbox is up when this answers")
            .Accepts<CreateSessionRequest>("application/json")
            .WithBody("The agent, and what is to be different from its own settings.")
            .WithHeader("Idempotency-Key", "The same key and body give the same session, for a day; another body is refused.")
            .Produces<SessionEnvelope>(StatusCodes.Status201Created)
            .ProducesApiErrors(400, 401, 404, 409, 410, 413, 415, 500)
            .WithMetadata(new CreateLimit("sessions"));
        sessions.MapGet("/", ListAsync)
            .WithName("ListSessions")
            .WithSummary("List sessions, newest first")
            .WithParameter("agent", "Only sessions of the agent of this name.")
            .WithParameter("status", "Only sessions that stand so: starting, active, paused, stopped, error or ended.")
            .WithPages()
            .Produces<SessionListEnvelope>()
            .ProducesApiErrors(400, 401);
        sessions.MapGet("/{id}", FindAsync)
            .WithName("GetSession")
            .WithSummary("Look at a session")
            .Produces<SessionEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        sessions.MapPatch("/{id}/config", ConfigureAsync)
            .WithName("UpdateSessionConfig")
            .WithSummary("Change how a session's agent works, from the next turn on")
            .Accepts<UpdateSessionConfigRequest>("application/json")
            .WithBody("What is to change.")
            .Produces<SessionEnvelope>()
            .ProducesApiErrors(400, 401, 404, 413, 415);
        sessions.MapDelete("/{id}", EndAsync)
            .WithName("EndSession")
            .WithSummary("End a session; with purge=true nothing of it is kept")
            .WithParameter("purge", "true removes its files and its history at once.")
            .Produces<SessionEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        sessions.MapPost("/{id}/pause", PauseAsync)
            .WithName("PauseSession")
            .WithSummary("Park a session; the next message wakes it")
            .Produces<SessionEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        sessions.MapPost("/{id}/stop", StopAsync)
            .WithName("StopSession")
            .WithSummary("End the sandbox of a session; only a resume wakes it")
            .Produces<SessionEnvelope>()
            .ProducesApiErrors(400, 401, 404);
        sessions.MapPost("/{id}/resume", ResumeAsync)
            .WithName("ResumeSession")
            .WithSummary("Wake a session")
            .Produces<SessionEnvelope>()
            .ProducesApiErrors(400, 401, 404, 410, 500);
        sessions.MapPost("/{id}/fork", ForkAsync)
            .WithName("ForkSession")
            .WithSummary("Make a paused session that goes on from where this one is: files, conversation, history")
            .WithHeader("Idempotency-Key", "The same key gives the same fork, for a day.")
            .Produces<SessionEnvelope>(StatusCodes.Status201Created)
            .ProducesApiErrors(400, 401, 404, 500);
        sessions.MapPost("/{id}/interrupt", InterruptAsync)
            .WithName("InterruptSession")
            .WithSummary("End the running turn")
            .Produces<InterruptResult>()
            .ProducesApiErrors(400, 401, 404);
        sessions.MapPost("/{id}/exec", ExecAsync)
            .WithName("ExecInSession")
            .WithSummary("Run a shell command in the workspace, inside the sandbox")
            .Accepts<ExecRequest>("application/json")
            .WithBody("The command and its time limit.")
            .Produces<ExecResult>()
            .ProducesApiErrors(400, 401, 404, 413, 415, 500);
    }

    private static async Task<IResult> CreateAsync(HttpContext context, SessionDirectory sessions, CancellationToken cancellationToken)
    {
        var body = await JsonBody<CreateSessionRequest>.ReadAsync(
            context.Request, ApiJson.Default.CreateSessionRequest, MaxBodyBytes, cancellationToken);
        if ((body.Problem ?? Check(body.Value!)) is { } problem)
        {
            return problem.ToResult(context);
        }

        var key = IdempotencyKey.Read(context.Request, body.Raw, out var badKey);
        if (badKey is not null)
        {
            return badKey.ToResult(context);
        }

        return ToResult(context, await sessions.CreateAsync(context.Caller.TenantId, body.Value!, key, cancellationToken));
    }

    private static IResult ToResult(HttpContext context, CreateSession outcome) => outcome switch
    {
        CreateSession.Created(var session) => Created(context, session),
        CreateSession.Refused(var refused) => refused.ToResult(context),
        _ => throw new UnreachableException(),
    };

    private static IResult Created(HttpContext context, SessionInfo session)
    {
        RequestSpan.Of(context)?.SessionId = session.Id;
        return Results.Json(new SessionEnvelope(session), ApiJson.Default.SessionEnvelope, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context,
        SessionDirectory sessions,
        CancellationToken cancellationToken,
        string? agent = null,
        string? status = null) =>
        SessionPage.Check(agent, status, context.Request.Query, out var page) is { } problem
            ? problem.ToResult(context)
            : Show(await sessions.ListAsync(context.Caller.TenantId, page, cancellationToken));

    private static IResult Show(Listed<SessionInfo> listed) =>
        Results.Json(new SessionListEnvelope(listed.Items) { Total = listed.Total }, ApiJson.Default.SessionListEnvelope);

    private static Task<IResult> FindAsync(HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken) =>
        ChangeAsync(context, id, sessions, static (_, _) => Task.FromResult<Problem?>(null), cancellationToken);

    private static async Task<IResult> ConfigureAsync(
        HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken)
    {
        var body = await JsonBody<UpdateSessionConfigRequest>.ReadAsync(
            context.Request, ApiJson.Default.UpdateSessionConfigRequest, MaxBodyBytes, cancellationToken);
        if ((body.Problem ?? Check(body.Value!)) is { } problem)
        {
            return problem.ToResult(context);
        }

        var change = Encoding.UTF8.GetString(body.Raw);
        return await ChangeAsync(
            context, id, sessions, (sessions, id) => sessions.Grain(id).ConfigureAsync(change), cancellationToken);
    }

    private static Task<IResult> PauseAsync(HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken) =>
        ChangeAsync(context, id, sessions, static (sessions, id) => sessions.Grain(id).PauseAsync(), cancellationToken);

    private static Task<IResult> StopAsync(HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken) =>
        ChangeAsync(context, id, sessions, static (sessions, id) => sessions.Grain(id).StopAsync(), cancellationToken);

    private static Task<IResult> ResumeAsync(HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken) =>
        ChangeAsync(context, id, sessions, static (sessions, id) => sessions.Grain(id).ResumeAsync(), cancellationToken);

    private static async Task<IResult> ForkAsync(HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        var key = IdempotencyKey.Read(context.Request, [], out var badKey);
        return (found.Problem ?? badKey) is { } problem
            ? problem.ToResult(context)
            : ToResult(context, await sessions.ForkAsync(found.Session!, key, cancellationToken));
    }

    private static async Task<IResult> EndAsync(
        HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken, string? purge = null)
    {
        if (purge is not (null or "true" or "false"))
        {
            return Problems.Invalid("purge must be true or false").ToResult(context);
        }

        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return unknown.ToResult(context);
        }

        var session = found.Session!;
        if (await sessions.Grain(session.Id).EndAsync(purge is "true") is { } problem)
        {
            return problem.ToResult(context);
        }

        // What was purged is described as it was when it ended.
        var ended = await sessions.DescribeAsync(context.Caller.TenantId, session.Id, cancellationToken)
            ?? SessionView.Describe(session, null) with { Status = "ended" };
        return Results.Json(new SessionEnvelope(ended), ApiJson.Default.SessionEnvelope);
    }

    private static async Task<IResult> InterruptAsync(
        HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return unknown.ToResult(context);
        }

        var answer = await sessions.Grain(found.Session!.Id).InterruptAsync();
        return answer.Problem is { } problem
            ? problem.ToResult(context)
            : Results.Json(new InterruptResult(answer.Interrupted, answer.TurnId), ApiJson.Default.InterruptResult);
    }

    private static async Task<IResult> ExecAsync(
        HttpContext context, string id, SessionDirectory sessions, CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return unknown.ToResult(context);
        }

        var body = await JsonBody<ExecRequest>.ReadAsync(context.Request, ApiJson.Default.ExecRequest, MaxBodyBytes, cancellationToken);
        if ((body.Problem ?? Check(body.Value!)) is { } invalid)
        {
            return invalid.ToResult(context);
        }

        var answer = await sessions.Grain(found.Session!.Id)
            .ExecAsync(body.Value!.Command, body.Value.Timeout ?? DefaultExecTimeoutMs, cancellationToken);
        return answer.Problem is { } problem
            ? problem.ToResult(context)
            : Results.Json(
                new ExecResult(answer.ExitCode, answer.Stdout, answer.Stderr, answer.TimedOut, answer.Truncated), ApiJson.Default.ExecResult);
    }

    /// <summary>Finds the session, does something to it, and answers with how it stands then.</summary>
    private static async Task<IResult> ChangeAsync(
        HttpContext context,
        string id,
        SessionDirectory sessions,
        Func<SessionDirectory, Guid, Task<Problem?>> change,
        CancellationToken cancellationToken)
    {
        var found = await SessionRoute.FindAsync(context, id, sessions, cancellationToken);
        if (found.Problem is { } unknown)
        {
            return unknown.ToResult(context);
        }

        if (await change(sessions, found.Session!.Id) is { } problem)
        {
            return problem.ToResult(context);
        }

        return await sessions.DescribeAsync(context.Caller.TenantId, found.Session.Id, cancellationToken) is { } session
            ? Results.Json(new SessionEnvelope(session), ApiJson.Default.SessionEnvelope)
            : Problems.UnknownSession.ToResult(context);
    }

    private static Problem? Check(CreateSessionRequest request)
    {
        if (request.Agent.Length is 0 or > 255)
        {
            return Problems.Invalid("agent must have 1 to 255 characters");
        }

        if (request.CredentialId is { Length: > 255 })
        {
            return Problems.Invalid("credentialId must NOT have more than 255 characters");
        }

        var reason = (request.Model is { } model ? SessionOptions.RefusalOfModel(model) : null)
            ?? (request.SystemPrompt is { } prompt ? SessionOptions.RefusalOfPrompt(prompt) : null)
            ?? (request.PermissionMode is { } mode ? SessionOptions.RefusalOfPermissionMode(mode) : null)
            ?? EnvironmentNames.Refusal("extraEnv", request.ExtraEnv)
            ?? SessionOptions.Refusal(SessionOptions.Of(request));
        return reason is null ? null : Problems.Invalid(reason);
    }

    private static Problem? Check(UpdateSessionConfigRequest request) =>
        request.Model is { } model && SessionOptions.RefusalOfModel(model) is { } wrong ? Problems.Invalid(wrong)
        : SessionOptions.Refusal(SessionOptions.Of(request)) is { } reason ? Problems.Invalid(reason)
        : null;

    private static Problem? Check(ExecRequest request) =>
        string.IsNullOrWhiteSpace(request.Command) ? Problems.Invalid("command must not be empty")
        : request.Command.Length > 128 * 1024 || request.Command.Contains('\0') ? Problems.Invalid("command must be at most 131072 characters, without NUL")
        : request.Timeout is < 1 or > MaxExecTimeoutMs ? Problems.Invalid($"timeout must be 1 to {MaxExecTimeoutMs} milliseconds")
        : null;
}
