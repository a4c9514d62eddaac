using System.Text.Json;

namespace Ash.Simulator.Conversations;

/// <summary>A content block of a message: its type, and the text in it.</summary>
internal readonly record struct ContentBlock(string? Kind, string Text);

/// <summary>Reads the parts of a request without expecting them to be there.</summary>
internal static class MessageJson
{
    public static IEnumerable<ContentBlock> ContentOf(JsonElement message) => Of(message, "content");

    /// <summary>A property that may be a string or a list of blocks.</summary>
    public static IEnumerable<ContentBlock> Of(JsonElement owner, string name)
    {
        if (Text(owner, name) is { } text)
        {
            return [new("text", text)];
        }

        return Items(owner, name).Select(Read);
    }

    /// <summary>The items of a list; none where there is no list.</summary>
    public static IEnumerable<JsonElement> Items(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : [];

    /// <summary>A property's string, or null.</summary>
    public static string? Text(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static ContentBlock Read(JsonElement block) => Text(block, "type") switch
    {
        "text" => new("text", Text(block, "text") ?? ""),
        "tool_result" => new("tool_result", string.Concat(ContentOf(block).Select(inner => inner.Text))),
        var kind => new(kind, ""),
    };
}
