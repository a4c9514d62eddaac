using System.Text.Json;

namespace Ash.Server.Sessions;

/// <summary>What a user may send: a string, or blocks. Checked here and written compactly, on one line.</summary>
internal static class MessageContent
{
    private const int MaxCharacters = 500_000;
    private const int MaxBlocks = 20;

    /// <returns>The content as compact JSON, or null and what is wrong with it.</returns>
    public static byte[]? Read(JsonElement content, out string? reason)
    {
        reason = content.ValueKind switch
        {
            JsonValueKind.String => CheckText(content),
            JsonValueKind.Array => CheckBlocks(content),
            _ => "content must be a string or an array of blocks",
        };

        if (reason is not null)
        {
            return null;
        }

        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            content.WriteTo(writer);
        }

        return buffer.ToArray();
    }

    private static string? CheckText(JsonElement text)
    {
        var value = text.GetString()!; // It is a string.
        return string.IsNullOrWhiteSpace(value) ? "content must not be empty"
            : value.Length > MaxCharacters ? $"content must NOT have more than {MaxCharacters} characters"
            : null;
    }

    private static string? CheckBlocks(JsonElement blocks)
    {
        var count = blocks.GetArrayLength();
        if (count is 0 or > MaxBlocks)
        {
            return $"content must have 1 to {MaxBlocks} blocks";
        }

        foreach (var block in blocks.EnumerateArray())
        {
            if (block.ValueKind != JsonValueKind.Object || !block.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String)
            {
                return "content: each block must be an object with a type";
            }

            switch (type.GetString())
            {
                case "text" when !block.TryGetProperty("text", out var text) || text.ValueKind != JsonValueKind.String:
                    return "content: a text block must have a text";
                case "text" when CheckText(block.GetProperty("text")) is { } reason:
                    return reason;
                case "image" or "document" when !block.TryGetProperty("source", out var source) || source.ValueKind != JsonValueKind.Object:
                    return "content: an image or document block must have a source";
                case "text" or "image" or "document":
                    break;
                default:
                    return "content: the type of a block must be text, image or document";
            }
        }

        return null;
    }
}
