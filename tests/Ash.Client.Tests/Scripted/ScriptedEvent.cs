namespace Ash.Client.Tests.Scripted;

/// <summary>An event of a script.</summary>
internal sealed record ScriptedEvent(string? Id, string Name, string Data)
{
    public string Frame => $"{(Id is null ? "" : $"id: {Id}\n")}event: {Name}\ndata: {Data}\n\n";

    /// <summary>What a server sends after a cursor. The script has every event's id.</summary>
    public static IEnumerable<ScriptedEvent> After(IReadOnlyList<ScriptedEvent> events, string? cursor) =>
        cursor is null or "0" ? events : events.SkipWhile(one => one.Id != cursor).Skip(1);

    /// <summary>A turn with a tool, as a server tells it: rows of one and of more frames.</summary>
    public static IReadOnlyList<ScriptedEvent> TurnWithTool(Guid session) =>
    [
        new("2", "session_start", $$"""{"sessionId":"{{session}}","version":"0.1.0"}"""),
        new("3.1", "text_delta", """{"delta":"Let me "}"""),
        new("3", "message", """{"type":"stream_event"}"""),
        new("4.1", "text_delta", """{"delta":"look — 日本語."}"""),
        new("4", "message", """{"type":"stream_event"}"""),
        new("5", "message", """{"type":"assistant","message":{"content":[{"type":"text","text":"Let me look — 日本語."}]}}"""),
        new("6.1", "tool_use", """{"id":"t1","name":"Bash","input":{"command":"echo hi"}}"""),
        new("6", "message", """{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1"}]}}"""),
        new("7.1", "tool_result", """{"tool_use_id":"t1","content":"hi\n"}"""),
        new("7", "message", """{"type":"user"}"""),
        new("8.1", "text_delta", """{"delta":"It says hi."}"""),
        new("8", "message", """{"type":"stream_event"}"""),
        new("9", "message", """{"type":"assistant","message":{"content":[{"type":"text","text":"It says hi."}]}}"""),
        new("10.1", "turn_complete", """{"numTurns":2,"result":"It says hi."}"""),
        new("10", "message", """{"type":"result","subtype":"success"}"""),
        new("11", "done", $$"""{"sessionId":"{{session}}","reason":"completed"}"""),
    ];
}
