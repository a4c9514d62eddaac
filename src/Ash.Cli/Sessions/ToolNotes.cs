using System.Text.Json;
using Ash.Cli.Output;
using Ash.Client.Events;

namespace Ash.Cli.Sessions;

/// <summary>Tools and their results in a few words.</summary>
internal static class ToolNotes
{
    private const int MaxLength = 100;

    // The properties that say best what a tool is asked to do, the best first.
    private static readonly string[] Telling =
        ["command", "file_path", "path", "pattern", "query", "url", "skill", "description", "prompt"];

    public static string Describe(ToolUse tool)
    {
        var name = TerminalText.Line(tool.Name, MaxLength);
        return Summarize(tool.Input) is { Length: > 0 } summary ? $"{name}: {TerminalText.Line(summary, MaxLength)}" : name;
    }

    public static string Describe(ToolResult result)
    {
        var text = TextOf(result.Content).Trim();
        var lines = text.AsSpan().Count('\n');
        var first = TerminalText.Line(lines == 0 ? text : text[..text.IndexOf('\n', StringComparison.Ordinal)], MaxLength);
        var rest = lines == 0 ? "" : $" (+{lines} line{(lines == 1 ? "" : "s")})";

        return (result.IsError, first.Length) switch
        {
            (true, 0) => "failed",
            (true, _) => $"failed: {first}{rest}",
            (false, 0) => "done",
            (false, _) => $"{first}{rest}",
        };
    }

    /// <summary>The texts of an assistant's message.</summary>
    public static IEnumerable<string> Texts(JsonElement line) =>
        Blocks(line.FindMember("message").FindMember("content"));

    private static string TextOf(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.String => content.ReadText()!, // A string is never null.
        JsonValueKind.Array => string.Join('\n', Blocks(content)),
        _ => "",
    };

    /// <summary>The texts of content blocks; none where it is no array.</summary>
    public static IEnumerable<string> Blocks(JsonElement content)
    {
        if (content.ValueKind != JsonValueKind.Array)
        {
            yield break;
        }

        foreach (var block in content.EnumerateArray())
        {
            if (block.FindMember("text").ReadText() is { Length: > 0 } said)
            {
                yield return said;
            }
        }
    }

    private static string Summarize(JsonElement input)
    {
        if (input.ValueKind != JsonValueKind.Object)
        {
            return "";
        }

        foreach (var name in Telling)
        {
            if (input.FindMember(name).ReadText() is { } value)
            {
                return value;
            }
        }

        return input.EnumerateObject().Any() ? input.GetRawText() : "";
    }
}
