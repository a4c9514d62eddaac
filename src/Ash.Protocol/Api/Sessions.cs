using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Protocol.Api;

/// <summary>One user's ongoing work with one agent; outlives its sandboxes.</summary>
public sealed record SessionInfo
{
    public required Guid Id { get; init; }
    public required string TenantId { get; init; }
    public required string AgentName { get; init; }

    /// <summary>Always equal to <see cref="Id"/>: which sandbox serves a session is nobody's business.</summary>
    public required string SandboxId { get; init; }

    /// <summary><c>starting</c>, <c>active</c>, <c>paused</c>, <c>stopped</c>, <c>error</c> or <c>ended</c>.</summary>
    public required string Status { get; init; }

    public required string? RunnerId { get; init; }
    public required Guid? ParentSessionId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset LastActiveAt { get; init; }

    public string? Model { get; init; }

    /// <summary>What the session was created with beside its model, and changed to since; null where nothing was given.</summary>
    public SessionConfig? Config { get; init; }

    /// <summary>The deploy that this session began with.</summary>
    public int AgentVersion { get; init; }

    /// <summary>The running turn, or null.</summary>
    public RunningTurn? Turn { get; init; }

    /// <summary><c>full</c>, or <c>reduced</c> where the operator chose weaker isolation.</summary>
    public string? Isolation { get; init; }
}

/// <param name="Id">Id of the turn that runs.</param>
/// <param name="Queued">How many wait behind it.</param>
public sealed record RunningTurn(Guid Id, int Queued);

public sealed record SessionEnvelope(SessionInfo Session);

public sealed record SessionListEnvelope(IReadOnlyList<SessionInfo> Sessions)
{
    /// <summary>How many there are without limit and offset; absent where nobody asked.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Total { get; init; }
}

public sealed record CreateSessionRequest
{
    /// <summary>Name of a deployed agent.</summary>
    public required string Agent { get; init; }

    /// <summary>Model of every message that names none itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }

    /// <summary>Takes the place of <c>CLAUDE.md</c> for this session.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SystemPrompt { get; init; }

    /// <summary><c>bypassPermissions</c> (default), <c>permissionsByAgent</c> or <c>default</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PermissionMode { get; init; }

    /// <summary>Environment of the sandbox, over the agent's.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, string>? ExtraEnv { get; init; }

    /// <summary>
    /// A credential of the tenant. One of type <c>anthropic</c> is used for the session's model calls, outside the sandbox;
    /// the others need <see cref="ExposeCredential"/>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? CredentialId { get; init; }

    /// <summary>Puts the credential into the sandbox's environment, where the agent can read it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? ExposeCredential { get; init; }

    /// <inheritdoc cref="SessionConfig.AllowedTools"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? AllowedTools { get; init; }

    /// <inheritdoc cref="SessionConfig.DisallowedTools"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? DisallowedTools { get; init; }

    /// <inheritdoc cref="SessionConfig.Betas"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Betas { get; init; }

    /// <inheritdoc cref="SessionConfig.Subagents"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Subagents { get; init; }

    /// <inheritdoc cref="SessionConfig.InitialAgent"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? InitialAgent { get; init; }

    /// <inheritdoc cref="SessionConfig.McpServers"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? McpServers { get; init; }
}

/// <summary>How a session's agent works, where that is not the agent's own business.</summary>
public sealed record SessionConfig
{
    /// <summary>Tools, or rules such as <c>Bash(git *)</c>, that need no permission.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? AllowedTools { get; init; }

    /// <summary>Tools, or rules, that are never used. A tool that is named bare is not even shown to the model.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? DisallowedTools { get; init; }

    /// <summary>Beta features of the model API, as its <c>anthropic-beta</c> header names them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Betas { get; init; }

    /// <summary>Agents that the agent may delegate to: an object of <c>{description, prompt, tools?, model?}</c> by name.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Subagents { get; init; }

    /// <summary>The one of them, or of the agent's own, that talks to the user.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? InitialAgent { get; init; }

    /// <summary>
    /// MCP servers beside the agent's own, whose names they take: an object of <c>{command, args?, env?}</c> or
    /// <c>{url, headers?}</c> by name. Shown with <c>***</c> for each value of <c>env</c> and <c>headers</c>.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? McpServers { get; init; }

    /// <summary>Model calls of a turn whose message says nothing of it; from the agent's configuration.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MaxTurns { get; init; }
}

/// <summary>Changes a session; what is absent stays as it is. The next turn begins with it.</summary>
public sealed record UpdateSessionConfigRequest
{
    /// <summary>Model of every message that names none itself.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }

    /// <inheritdoc cref="SessionConfig.AllowedTools"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? AllowedTools { get; init; }

    /// <inheritdoc cref="SessionConfig.DisallowedTools"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? DisallowedTools { get; init; }

    /// <inheritdoc cref="SessionConfig.Betas"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Betas { get; init; }

    /// <inheritdoc cref="SessionConfig.Subagents"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Subagents { get; init; }

    /// <inheritdoc cref="SessionConfig.InitialAgent"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? InitialAgent { get; init; }
}

/// <summary>A message starts a turn; while one runs it waits for its own.</summary>
public sealed record SendMessageRequest
{
    /// <summary>A string of at most 500,000 characters, or at most 20 blocks of type <c>text</c>, <c>image</c>, <c>document</c>.</summary>
    public required JsonElement Content { get; init; }

    /// <summary>Whether the answer holds the deltas of the model's text.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? IncludePartialMessages { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Model { get; init; }

    /// <summary>How often the turn may call the model; reached, it ends with reason <c>max_turns</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MaxTurns { get; init; }

    /// <summary>What the turn may cost; passed, it ends with reason <c>budget</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MaxBudgetUsd { get; init; }

    /// <summary>How hard the model works: <c>low</c>, <c>medium</c>, <c>high</c> or <c>max</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Effort { get; init; }

    /// <summary><c>{"type":"adaptive"}</c>, <c>{"type":"enabled","budgetTokens":N}</c> or <c>{"type":"disabled"}</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Thinking? Thinking { get; init; }

    /// <summary><c>{"type":"json_schema","schema":{…}}</c>: the turn's result is JSON of that form.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OutputFormat? OutputFormat { get; init; }

    /// <summary>
    /// What becomes of the message while a turn runs: <c>enqueue</c> lets it wait (the default), <c>reject</c> refuses it with 409,
    /// <c>interrupt</c> ends the running turn and lets it wait for its own.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? OnBusy { get; init; }
}

/// <param name="Type"><c>adaptive</c>, <c>enabled</c> or <c>disabled</c>.</param>
/// <param name="BudgetTokens">How much the model may think, where it is <c>enabled</c>.</param>
public sealed record Thinking(string Type, int? BudgetTokens = null);

/// <param name="Type"><c>json_schema</c>.</param>
/// <param name="Schema">A JSON Schema, an object.</param>
public sealed record OutputFormat(string Type, JsonElement Schema);

/// <summary>How a turn stands, or ended.</summary>
public sealed record TurnInfo
{
    public required Guid Id { get; init; }
    public required Guid SessionId { get; init; }

    /// <summary><c>queued</c>, <c>running</c> or <c>ended</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Why it ended: <c>completed</c>, <c>interrupted</c>, <c>model_error</c>, <c>sandbox_lost</c> …; null until then.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether sending the same message again may succeed.</summary>
    public bool Retryable { get; init; }

    /// <summary>Says more than <see cref="Reason"/>, where there is more to say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Code { get; init; }

    /// <summary>The answer's text, or the error's.</summary>
    public string? Result { get; init; }

    /// <summary>Tokens as the CLI reported them, or null.</summary>
    public JsonElement? Usage { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Id of the turn's last event; a stream resumed after it has what comes next.</summary>
    public string? LastEventId { get; init; }
}

public sealed record TurnEnvelope(TurnInfo Turn);

/// <param name="Interrupted">False where no turn was running.</param>
/// <param name="TurnId">The turn that was interrupted, or null.</param>
public sealed record InterruptResult(bool Interrupted, Guid? TurnId);

public sealed record ExecRequest
{
    /// <summary>Run by <c>sh -c</c> in the workspace, inside the sandbox.</summary>
    public required string Command { get; init; }

    /// <summary>Milliseconds, 1 to 300,000; 30,000 where absent.</summary>
    public int? Timeout { get; init; }
}

/// <param name="ExitCode">The command's own; 124 where its time was over, 128 + n where signal n ended it.</param>
/// <param name="Stdout">At most 10 MB, invalid UTF-8 replaced.</param>
/// <param name="Stderr">Likewise.</param>
/// <param name="TimedOut">Its time was over and it was killed.</param>
/// <param name="Truncated">A stream was longer than 10 MB and was cut.</param>
public sealed record ExecResult(int ExitCode, string Stdout, string Stderr, bool TimedOut = false, bool Truncated = false);

/// <summary>A message of the history: what a user sent, or an <c>assistant</c> or <c>result</c> line of the CLI.</summary>
public sealed record MessageInfo
{
    public required Guid Id { get; init; }
    public required Guid SessionId { get; init; }
    public required string TenantId { get; init; }

    /// <summary><c>user</c> or <c>assistant</c>.</summary>
    public required string Role { get; init; }

    /// <summary>JSON text: <c>{"type":"user","content":…}</c>, or the CLI's line as it came.</summary>
    public required string Content { get; init; }

    public required long Sequence { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

public sealed record MessageListEnvelope(IReadOnlyList<MessageInfo> Messages);

/// <summary>An entry of the session's timeline.</summary>
public sealed record SessionEventInfo
{
    public required Guid Id { get; init; }
    public required Guid SessionId { get; init; }
    public required string TenantId { get; init; }

    /// <summary><c>lifecycle</c>, <c>text</c>, <c>tool_start</c>, <c>reasoning</c>, <c>tool_result</c>, <c>turn_complete</c> or <c>error</c>.</summary>
    public required string Type { get; init; }

    /// <summary>JSON text, or null.</summary>
    public required string? Data { get; init; }

    public required long Sequence { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

public sealed record SessionEventListEnvelope(IReadOnlyList<SessionEventInfo> Events);
