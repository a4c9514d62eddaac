using System.Buffers;
using System.Text.Json;

namespace Ash.Server.Sessions;

/// <summary>The lines that the host writes to the CLI's standard input, without their line ends.</summary>
/// <remarks>A line that is not valid JSON ends the CLI at once, so every line is written by <see cref="Utf8JsonWriter"/>.</remarks>
internal static class ControlLines
{
    /// <summary>A prompt. Its uuid is the turn's id: the CLI's result names it.</summary>
    /// <param name="turnId">The turn.</param>
    /// <param name="content">A JSON string or array of blocks.</param>
    /// <param name="shouldQuery">False adds it to the conversation as it stands: no model call, no slash command.</param>
    public static byte[] User(Guid turnId, ReadOnlySpan<byte> content, bool shouldQuery = true)
    {
        var buffer = new ArrayBufferWriter<byte>(content.Length + 256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "user"u8);
            writer.WriteStartObject("message"u8);
            writer.WriteString("role"u8, "user"u8);
            writer.WritePropertyName("content"u8);
            writer.WriteRawValue(content, skipInputValidation: true); // Read as JSON when it came, a user's text or a stored line.
            writer.WriteEndObject();
            writer.WriteNull("parent_tool_use_id"u8);
            writer.WriteString("session_id"u8, ""u8);
            writer.WriteString("uuid"u8, turnId);
            if (!shouldQuery)
            {
                writer.WriteBoolean("shouldQuery"u8, false);
                writer.WriteBoolean("client_composed"u8, true);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Opens the conversation of a fresh process; a null prompt leaves the CLI's own.</summary>
    public static byte[] Initialize(string requestId, string? systemPrompt, string? appendSystemPrompt) => Request(requestId, writer =>
    {
        writer.WriteString("subtype"u8, "initialize"u8);
        if (systemPrompt is not null)
        {
            writer.WriteStartArray("systemPrompt"u8);
            writer.WriteStringValue(systemPrompt);
            writer.WriteEndArray();
        }

        if (appendSystemPrompt is not null)
        {
            writer.WriteString("appendSystemPrompt"u8, appendSystemPrompt);
        }
    });

    /// <summary>Stops the turn that runs, and the one that was taken but has not begun.</summary>
    public static byte[] Interrupt(string requestId) => Request(requestId, static writer =>
    {
        writer.WriteString("subtype"u8, "interrupt"u8);
        writer.WriteBoolean("cancel_queued"u8, true);
    });

    /// <summary>A null model goes back to the CLI's default.</summary>
    public static byte[] SetModel(string requestId, string? model) => Request(requestId, writer =>
    {
        writer.WriteString("subtype"u8, "set_model"u8);
        writer.WriteString("model"u8, model ?? "default");
    });

    /// <summary>Answers a permission question of the CLI.</summary>
    public static byte[] Deny(string requestId, string message) => Line(writer =>
    {
        writer.WriteString("type"u8, "control_response"u8);
        writer.WriteStartObject("response"u8);
        writer.WriteString("subtype"u8, "success"u8);
        writer.WriteString("request_id"u8, requestId);
        writer.WriteStartObject("response"u8);
        writer.WriteString("behavior"u8, "deny"u8);
        writer.WriteString("message"u8, message);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>Answers any other question of the CLI: nothing else is offered.</summary>
    public static byte[] Unsupported(string requestId) => Line(writer =>
    {
        writer.WriteString("type"u8, "control_response"u8);
        writer.WriteStartObject("response"u8);
        writer.WriteString("subtype"u8, "error"u8);
        writer.WriteString("request_id"u8, requestId);
        writer.WriteString("error"u8, "not offered by this host"u8);
        writer.WriteEndObject();
    });

    private static byte[] Request(string requestId, Action<Utf8JsonWriter> write) => Line(writer =>
    {
        writer.WriteString("type"u8, "control_request"u8);
        writer.WriteString("request_id"u8, requestId);
        writer.WriteStartObject("request"u8);
        write(writer);
        writer.WriteEndObject();
    });

    private static byte[] Line(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
