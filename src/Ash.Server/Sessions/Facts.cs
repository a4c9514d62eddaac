using System.Text.Json;
using Ash.Server.Events;

namespace Ash.Server.Sessions;

/// <summary>The payloads of Ash's own events. No member is named type, seq, at or turnId: those stand beside them.</summary>
internal static class Facts
{
    /// <param name="agentName">Its agent.</param>
    /// <param name="agentVersion">The version it works with.</param>
    /// <param name="model">The session's own, or null.</param>
    /// <param name="parent">The session that it was forked from; null for one that was not.</param>
    public static LogEntry Created(string agentName, int agentVersion, string? model, Guid? parent = null) => Fact(EventType.SessionCreated, null, writer =>
    {
        if (parent is { } id)
        {
            writer.WriteString("parentSessionId"u8, id);
        }

        writer.WriteString("agentName"u8, agentName);
        writer.WriteNumber("agentVersion"u8, agentVersion);
        if (model is not null)
        {
            writer.WriteString("model"u8, model);
        }
    });

    public static LogEntry Paused(string reason) => Fact(EventType.SessionPaused, null, writer => writer.WriteString("reason"u8, reason));

    /// <param name="path"><c>warm</c> or <c>cold</c>.</param>
    /// <param name="source">Where the files came from, for <c>cold</c>.</param>
    public static LogEntry Woken(string path, string? source) => Fact(EventType.SessionWoken, null, writer =>
    {
        writer.WriteString("path"u8, path);
        if (source is not null)
        {
            writer.WriteString("source"u8, source);
        }
    });

    public static LogEntry Stopped() => Fact(EventType.SessionStopped, null, static _ => { });

    public static LogEntry Ended() => Fact(EventType.SessionEnded, null, static _ => { });

    public static LogEntry Message(Guid turnId, byte[] content) => Fact(EventType.Message, turnId, writer =>
    {
        writer.WritePropertyName("content"u8);
        writer.WriteRawValue(content, skipInputValidation: true);
    });

    /// <summary>What a user said to a turn that runs.</summary>
    public static LogEntry Steered(Guid turnId, SteeredText text) => Fact(EventType.Message, turnId, writer =>
    {
        writer.WritePropertyName("content"u8);
        writer.WriteRawValue(text.Content, skipInputValidation: true);
        writer.WriteString("uuid"u8, text.Id);
    });

    public static LogEntry Queued(Guid turnId, int position) => Fact(EventType.TurnQueued, turnId, writer =>
        writer.WriteNumber("position"u8, position));

    public static LogEntry Started(Guid turnId, string version) => Fact(EventType.TurnStarted, turnId, writer =>
        writer.WriteString("version"u8, version));

    public static LogEntry Completed(Guid turnId, TurnOutcome outcome) => new(EventType.TurnCompleted, turnId, outcome.ToPayload());

    public static LogEntry SandboxStarted(string sandboxId, string isolation) => Fact(EventType.SandboxStarted, null, writer =>
    {
        writer.WriteString("sandbox"u8, sandboxId);
        writer.WriteString("isolation"u8, isolation);
    });

    public static LogEntry SandboxLost(Guid? turnId, string cause, int? exitCode, int? signal) => Fact(EventType.SandboxLost, turnId, writer =>
    {
        writer.WriteString("cause"u8, cause);
        if (exitCode is { } code)
        {
            writer.WriteNumber("exitCode"u8, code);
        }

        if (signal is { } number)
        {
            writer.WriteNumber("signal"u8, number);
        }
    });

    public static LogEntry Resource(Guid? turnId, string limit) => Fact(EventType.Resource, turnId, writer =>
        writer.WriteString("limit"u8, limit));

    public static LogEntry Error(Guid? turnId, string code, string message) => Fact(EventType.Error, turnId, writer =>
    {
        writer.WriteString("code"u8, code);
        writer.WriteString("error"u8, message);
    });

    private static LogEntry Fact(EventType type, Guid? turnId, Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return new LogEntry(type, turnId, buffer.ToArray());
    }
}
