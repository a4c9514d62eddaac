using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ash.Simulator.Scripts;

/// <summary>One reply of the scripted model: what it says, how slowly, and how it fails.</summary>
/// <remarks>
/// A step without content answers from the conversation (see <see cref="Replies.DefaultAnswer"/>). Strings may hold
/// placeholders such as <c>{{prompt}}</c>. A field that is unknown is refused, so that a typing error is not a silent echo.
/// </remarks>
public sealed record ScriptStep
{
    /// <summary>Text blocks, in order.</summary>
    [JsonConverter(typeof(OneOrManyConverter<string>))]
    public IReadOnlyList<string>? Text { get; init; }

    /// <summary>Thinking blocks; they come before the text.</summary>
    [JsonConverter(typeof(OneOrManyConverter<string>))]
    public IReadOnlyList<string>? Thinking { get; init; }

    /// <summary>Tool calls of the one message; they come after the text.</summary>
    [JsonConverter(typeof(OneOrManyConverter<ScriptToolUse>))]
    public IReadOnlyList<ScriptToolUse>? Tool { get; init; }

    /// <summary>Content blocks that are sent as they are.</summary>
    [JsonConverter(typeof(OneOrManyConverter<JsonElement>))]
    public IReadOnlyList<JsonElement>? Blocks { get; init; }

    /// <summary>SSE events that are sent as they are, instead of a message.</summary>
    [JsonConverter(typeof(OneOrManyConverter<JsonElement>))]
    public IReadOnlyList<JsonElement>? Events { get; init; }

    /// <summary>Instead of <c>end_turn</c> or <c>tool_use</c>.</summary>
    public string? StopReason { get; init; }

    public JsonElement? StopDetails { get; init; }

    /// <summary>Fields that replace those of the reply's usage.</summary>
    public Dictionary<string, JsonElement>? Usage { get; init; }

    /// <summary>The model named in the reply; that of the request unless given.</summary>
    public string? Model { get; init; }

    /// <summary>Headers of the response.</summary>
    public Dictionary<string, string>? Headers { get; init; }

    /// <summary>Milliseconds before the first byte of the response.</summary>
    public int DelayMs { get; init; }

    /// <summary>Milliseconds between <c>message_start</c> and the first content.</summary>
    public int FirstTokenDelayMs { get; init; }

    /// <summary>Characters in a piece of text, thinking or tool input; 0 sends each block whole.</summary>
    public int Chunk { get; init; }

    /// <summary>Milliseconds after each piece.</summary>
    public int ChunkDelayMs { get; init; }

    /// <summary>The reply is held until the gate of this name is released.</summary>
    public string? Gate { get; init; }

    /// <summary>Hold after this many pieces of a stream instead of before the first byte.</summary>
    public int? GateAfterChunks { get; init; }

    /// <summary>Answer with an error.</summary>
    public ScriptError? Error { get; init; }

    /// <summary>Break a stream off with an <c>error</c> event.</summary>
    public ScriptStreamError? StreamError { get; init; }

    /// <summary>Close the connection without an answer.</summary>
    public bool Drop { get; init; }

    /// <summary>Close the connection after this many pieces of a stream.</summary>
    public int? DropAfterChunks { get; init; }

    /// <summary>Never answer; closes the connection after this time unless it is infinite.</summary>
    [JsonConverter(typeof(HangConverter))]
    public TimeSpan? Hang { get; init; }

    /// <summary>How many requests a step that fails gets before the next one is due.</summary>
    public int Times { get; init; } = 1;

    /// <summary>In the one-shot queue: which requests this step may answer.</summary>
    public ScriptCondition? When { get; init; }

    /// <summary>Adds nothing to the conversation, so that the client's next attempt comes back to the same place.</summary>
    [JsonIgnore]
    public bool Fails => Error is not null || StreamError is not null || Drop || DropAfterChunks is not null || Hang is not null;
}

/// <summary>A tool call; the id is made up unless given.</summary>
public sealed record ScriptToolUse
{
    public required string Name { get; init; }

    public JsonElement? Input { get; init; }

    public string? Id { get; init; }
}

/// <summary>An error reply. The type follows from the status unless given; a body replaces the API's error shape.</summary>
public sealed record ScriptError
{
    /// <exception cref="ScriptException">It is not the status of an error.</exception>
    public int Status
    {
        get;
        init => field = value is >= 400 and <= 599 ? value : throw new ScriptException($"{value} is not the status of an error");
    } = 500;

    public string? Type { get; init; }

    public string? Message { get; init; }

    public Dictionary<string, string>? Headers { get; init; }

    public JsonElement? Body { get; init; }
}

/// <summary>An <c>error</c> event in a stream that began well.</summary>
public sealed record ScriptStreamError
{
    public int Status { get; init; } = 500;

    public string? Type { get; init; }

    public string? Message { get; init; }

    public int AfterChunks { get; init; }
}
