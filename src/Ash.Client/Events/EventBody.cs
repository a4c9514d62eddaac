using System.Text.Json;

namespace Ash.Client.Events;

/// <summary>What an event says, by its name. Made for pattern matching.</summary>
public abstract record EventBody
{
    private protected EventBody()
    {
    }
}

/// <summary>A turn begins to run.</summary>
public sealed record SessionStart(Guid? SessionId, string? Version) : EventBody;

/// <summary>A line of the agent's own stream, as the agent wrote it; comes after the events that were derived from it.</summary>
public sealed record AgentMessage(JsonElement Line) : EventBody;

/// <summary>A piece of the model's text. Only where partial messages were asked for.</summary>
public sealed record TextDelta(string Delta) : EventBody;

/// <summary>A piece of the model's thinking.</summary>
public sealed record ThinkingDelta(string Delta) : EventBody;

/// <summary>The agent calls a tool.</summary>
/// <param name="Input">As the model wrote it.</param>
public sealed record ToolUse(string Id, string Name, JsonElement Input) : EventBody;

/// <summary>A tool has answered.</summary>
/// <param name="Content">A string, or content blocks, or undefined.</param>
public sealed record ToolResult(string? ToolUseId, JsonElement Content, bool IsError) : EventBody;

/// <summary>The agent's own account of the turn.</summary>
public sealed record TurnComplete(int? NumTurns, string? Result) : EventBody;

/// <summary>The turn fails; <see cref="Done"/> follows.</summary>
/// <param name="Code">A stable word for programs, where the server gives one.</param>
public sealed record TurnError(string Error, string? Code) : EventBody;

/// <summary>Always the last event of a turn.</summary>
/// <param name="TurnId">The turn, where the server says so.</param>
/// <param name="Reason"><c>completed</c>, <c>interrupted</c>, <c>model_error</c> …, where the server says so.</param>
public sealed record Done(Guid? SessionId, Guid? TurnId, string? Reason) : EventBody;

/// <summary>A fact of the session's life: created, paused, woken, a turn queued …</summary>
/// <param name="Type">Such as <c>session.paused</c>.</param>
/// <param name="Fact">All of it.</param>
public sealed record Lifecycle(string Type, long? Sequence, Guid? TurnId, JsonElement Fact) : EventBody;

/// <summary>An event that this client has no shape for; its data is in <see cref="AshEvent.Data"/>.</summary>
public sealed record OtherBody : EventBody
{
    internal static readonly OtherBody Instance = new();

    private OtherBody()
    {
    }
}
