namespace Ash.Client.Events;

/// <summary>Names of the events that a server sends. It may send others, now or later.</summary>
public static class EventNames
{
    public const string SessionStart = "session_start";
    public const string Message = "message";
    public const string TextDelta = "text_delta";
    public const string ThinkingDelta = "thinking_delta";
    public const string ToolUse = "tool_use";
    public const string ToolResult = "tool_result";
    public const string TurnComplete = "turn_complete";
    public const string Error = "error";
    public const string Done = "done";
    public const string Lifecycle = "lifecycle";

    /// <summary>The name as a string; the known ones cost no allocation.</summary>
    internal static string Read(ReadOnlySpan<byte> utf8) => utf8.Length switch
    {
        0 => Message,
        _ when utf8.SequenceEqual("message"u8) => Message,
        _ when utf8.SequenceEqual("text_delta"u8) => TextDelta,
        _ when utf8.SequenceEqual("thinking_delta"u8) => ThinkingDelta,
        _ when utf8.SequenceEqual("tool_use"u8) => ToolUse,
        _ when utf8.SequenceEqual("tool_result"u8) => ToolResult,
        _ when utf8.SequenceEqual("lifecycle"u8) => Lifecycle,
        _ when utf8.SequenceEqual("session_start"u8) => SessionStart,
        _ when utf8.SequenceEqual("turn_complete"u8) => TurnComplete,
        _ when utf8.SequenceEqual("error"u8) => Error,
        _ when utf8.SequenceEqual("done"u8) => Done,
        _ => System.Text.Encoding.UTF8.GetString(utf8),
    };
}
