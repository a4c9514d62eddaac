using System.Text.Json;
using Ash.Cli.Output;
using Ash.Client.Events;
using Ash.Protocol.Api;

namespace Ash.Cli.Sessions;

/// <summary>Entries of a session's history in a few words. They are to be made harmless before they are shown.</summary>
internal static class TimelineText
{
    // As deep as a server's events may be.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 512 };

    public static string OfMessage(MessageInfo message)
    {
        var line = Parse(message.Content);
        var content = line.FindMember("content");
        return content.ReadText()
            ?? line.FindMember("result").ReadText()
            ?? Join(ToolNotes.Blocks(content.ValueKind == JsonValueKind.Array ? content : line.FindMember("message").FindMember("content")));
    }

    public static string OfEvent(SessionEventInfo entry)
    {
        var data = Parse(entry.Data);
        return entry.Type switch
        {
            "text" => TextOf(data, "text"),
            "reasoning" => TextOf(data, "thinking"),
            "tool_start" => ToolNotes.Describe(new ToolUse("", TextOf(data, "toolName"), data.FindMember("input"))),
            "tool_result" => Join([TextOf(data, "stdout"), TextOf(data, "stderr")]),
            "turn_complete" => TextOf(data, "result"),
            "error" => TextOf(data, "error"),
            "lifecycle" => TextOf(data, "action"),
            _ => entry.Data ?? "",
        };
    }

    public static Colour? ColourOf(SessionEventInfo entry) => entry.Type switch
    {
        "error" => Colour.Bad,
        "turn_complete" => Colour.Good,
        "lifecycle" or "reasoning" => Colour.Dim,
        "tool_start" or "tool_result" => Colour.Attention,
        _ => null,
    };

    private static string TextOf(JsonElement data, string name) => data.FindMember(name) switch
    {
        { ValueKind: JsonValueKind.Undefined or JsonValueKind.Null } => "",
        var value => value.ReadText() ?? (Join(ToolNotes.Blocks(value)) is { Length: > 0 } text ? text : value.GetRawText()),
    };

    private static string Join(IEnumerable<string> texts) => string.Join(' ', texts.Where(text => text.Length > 0));

    private static JsonElement Parse(string? json)
    {
        try
        {
            return json is null ? default : JsonElement.Parse(json, Deep);
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
