using Ash.Server.Storage;

namespace Ash.Server.Http;

/// <summary>Every failure that a client can meet. The texts that the contract names are kept to the letter.</summary>
internal static partial class Problems
{
    public static readonly Problem UnknownSession = new(404, "session_not_found", "Session not found");
    public static readonly Problem IdIsNoUuid = Invalid("params/id must match format \"uuid\"");
    public static readonly Problem EmptyBody = Invalid("Body cannot be empty; send a JSON object");
    public static readonly Problem BodyIsNoObject = Invalid("body must be object");
    public static readonly Problem UnknownTurn = new(404, "turn_not_found", "Turn not found in this session");
    public static readonly Problem AgentNotFound = new(404, "agent_not_found", "Agent not found");
    public static readonly Problem MissingAgentFiles = new(404, "agent_content_missing", "Agent directory not found on disk");
    public static readonly Problem UnknownPrompt = new(404, "version_not_found", "Version not found");
    public static readonly Problem PreconditionFailed = new(
        412, "precondition_failed", "It was changed since; look at it again, and send the request with its new ETag");

    public static readonly Problem SessionEnded = new(410, "session_ended", "Session has ended — create a new session");
    public static readonly Problem QueueFull = new(429, "queue_full", "32 messages wait in this session already; wait for a turn to end");
    public static readonly Problem TurnRunning = new(
        409, "turn_running", "A turn runs in this session; wait for its end, or send the message with onBusy: enqueue, interrupt or steer");
    public static readonly Problem CannotSteer = new(
        400, "cannot_steer", "A message that joins the running turn can neither choose another model nor options that its process was not started with; leave them out, or send it with onBusy: enqueue");

    public static readonly Problem MissingClaudeMd = new(400, "missing_claude_md", "Agent directory must contain CLAUDE.md");
    public static readonly Problem IdempotencyConflict = new(
        409, "idempotency_conflict", "This Idempotency-Key was used with another body; use a new key for a new request");

    public static readonly Problem NotFound = new(404, "not_found", "There is nothing at this address; the routes are listed at /docs");
    public static readonly Problem Internal = new(500, "internal_error", "Internal Server Error");
    public static readonly Problem StoreUnavailable = new(
        503, "store_unavailable", "The server could not store or read what this needs; is its disk full? Does its database answer? Mend that and try again; its log says more");

    /// <summary>What is sealed in the store cannot be opened.</summary>
    public static Problem CannotOpen(string reason) => new(500, "credential_key_missing", reason);

    public static readonly Problem ShuttingDown = new(503, "shutting_down", "The server is shutting down; try again in a moment");

    public static readonly Problem NoCapacity = new(
        503, "no_capacity", "Sandbox capacity reached and no evictable sandboxes (all running); try again later, or raise ASH_MAX_SANDBOXES");

    public static readonly Problem NoWorkspace = new(404, "workspace_not_found", "No workspace available for this session");
    public static readonly Problem FilePathRequired = new(400, "path_required", "File path required");
    public static readonly Problem InvalidFilePath = new(400, "path_not_allowed", "Invalid file path");
    public static readonly Problem FileNotFound = new(404, "file_not_found", "File not found");
    public static readonly Problem NotAFile = new(400, "not_a_file", "Path is not a file");
    public static readonly Problem UnknownAttachment = new(404, "attachment_not_found", "Attachment not found");
    public static readonly Problem AttachmentFileGone = new(
        404, "attachment_file_not_found", "Attachment file not found on disk");

    public static readonly Problem EmptyAttachment = new(400, "invalid_request", "Empty attachment content");

    public static Problem UnknownAgent(string name) => new(
        404, "agent_not_found", $"Agent \"{name}\" not found");

    public static Problem MissingContent(string agent) => new(
        409, "agent_content_missing", $"The files of agent \"{agent}\" are gone from the server; deploy it again");

    public static Problem AgentExists(string name) => new(409, "agent_exists", $"There is an agent \"{name}\" already; choose another name");

    public static Problem UnknownDeploy(int version) => new(404, "deploy_not_found", $"The agent has no deploy {version}");

    public static Problem UnknownSource(string version) => new(400, "invalid_request", $"Source version {version} not found");

    public static Problem Escapes(string path) => new(400, "invalid_path", $"Path \"{path}\" escapes agent directory");

    public static Problem Invalid(string reason) => new(400, "invalid_request", reason);

    public static Problem PathNotAllowed(string reason) => new(400, "path_not_allowed", reason);

    public static Problem UnknownField(string field, IEnumerable<string> known) => new(
        400, "unknown_field", $"{field} is not a field of this request; it may have {string.Join(", ", known)}");

    public static Problem InvalidCursor(string reason) => new(400, "invalid_cursor", reason);

    public static Problem BodyTooLarge(long maxBytes) => TooLarge($"Request body is too large; {maxBytes} bytes are allowed");

    public static Problem TooLarge(string reason) => new(413, "too_large", reason);

    public static Problem FileTooLarge(long bytes, long max) => new(
        400, "file_too_large", $"File too large ({bytes} bytes, max {max})");

    public static Problem AttachmentTooLarge(long max) => TooLarge($"Attachment too large (max {max} bytes)");

    public static Problem BundleRefused(string reason) => new(400, "invalid_bundle", reason);

    public static Problem RangeNotSatisfiable(long length) => new(
        416, "range_not_satisfiable", $"The file has {length} bytes; ask for a range within them");

    public static Problem UnsupportedMediaType(string? contentType) => new(
        415, "unsupported_media_type", $"Unsupported Media Type: {contentType ?? "none"}; send application/json");

    public static Problem MethodNotAllowed(string method) => new(405, "method_not_allowed", $"{method} is not offered here");

    public static Problem Unauthorized(string reason) => new(401, "unauthorized", reason);

    /// <summary>The session's status does not allow this (contract 2.3).</summary>
    public static Problem SessionIs(SessionStatus status) => new(400, "session_state", $"Session is {Name(status)}");

    public static Problem CannotChange(string verb, SessionStatus status) => new(
        400, "session_state", $"Cannot {verb} session with status \"{Name(status)}\"");

    public static Problem ForkFailed(string reason) => new(500, "fork_failed", $"Failed to fork session: {reason}");

    public static Problem CreateFailed(string reason) => new(500, "sandbox_failed", $"Failed to create session: {reason}");

    public static Problem ResumeFailed(string reason) => new(500, "sandbox_failed", $"Failed to resume session: {reason}");

    public static Problem ExecFailed(string reason) => new(500, "exec_failed", $"Exec failed: {reason}");

    private static string Name(SessionStatus status) => status.ToString().ToLowerInvariant();
}
