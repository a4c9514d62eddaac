namespace Ash.Server.Events;

/// <summary>The content blocks of <c>assistant</c> and <c>user</c> lines.</summary>
internal static class CliContent
{
    private static readonly byte[] NoBlocks = "[]"u8.ToArray();
    private static readonly byte[][] MessageMembers = CliLine.Names("content");

    /// <summary>The blocks of a line's <c>message</c>, as slices of the line; none where its content is no list.</summary>
    public static JsonElements BlocksOf(ReadOnlySpan<byte> line, JsonSlice message)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[1];
        return message.IsObject && Json.TryFind(line, message, MessageMembers, found) && found[0].IsArray
            ? new(line, found[0])
            : new(NoBlocks, new(0, 2, default));
    }
}
