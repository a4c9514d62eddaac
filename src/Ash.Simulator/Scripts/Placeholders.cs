using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ash.Simulator.Replies;

namespace Ash.Simulator.Scripts;

/// <summary>Fills <c>{{prompt}}</c> and its like in the strings of a step.</summary>
/// <remarks>A string with a script in it is left alone: it is filled when the subagent's own turn comes.</remarks>
internal sealed partial class Placeholders(ModelRequest request)
{
    public string Fill(string text) =>
        text.Contains("{{", StringComparison.Ordinal) && !text.Contains(InlineScript.Mark, StringComparison.Ordinal)
            ? Placeholder.Replace(text, match => ValueOf(match.Groups[1].Value) ?? match.Value)
            : text;

    public JsonElement Fill(JsonElement json)
    {
        if (!json.GetRawText().Contains("{{", StringComparison.Ordinal))
        {
            return json;
        }

        var filled = new ArrayBufferWriter<byte>();

        using (var writer = new Utf8JsonWriter(filled, ReplyJson.Writing))
        {
            Write(writer, json);
        }

        using var document = JsonDocument.Parse(filled.WrittenMemory);
        return document.RootElement.Clone();
    }

    private string? ValueOf(string name) => name switch
    {
        "prompt" => request.Conversation.Prompt,
        "toolResult" => request.Conversation.ToolResult ?? "",
        "model" => request.Model,
        "messages" => $"{request.Conversation.MessageCount}",
        "step" => $"{request.Conversation.Step}",
        "tools" => string.Join(',', request.Tools),
        "turn" => $"{request.Conversation.UserTexts.Count}",
        "history" => DefaultAnswer.HistoryOf(request.Conversation),
        _ => null,
    };

    private void Write(Utf8JsonWriter writer, JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();

                foreach (var property in json.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    Write(writer, property.Value);
                }

                writer.WriteEndObject();
                break;

            case JsonValueKind.Array:
                writer.WriteStartArray();

                foreach (var item in json.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;

            case JsonValueKind.String:
                writer.WriteStringValue(Fill(json.GetString()!)); // a string is never null
                break;

            default:
                json.WriteTo(writer);
                break;
        }
    }

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Placeholder { get; }
}
