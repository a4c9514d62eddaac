namespace Ash.Server.Events;

/// <summary>What a tool gave back, as slices of the <c>user</c> line that says so.</summary>
/// <remarks>
/// The CLI names the call in the message's block and puts what the tool printed into <c>tool_use_result</c>; a failed call has
/// a text there. The reference's own agent has everything in <c>tool_use_result</c>.
/// </remarks>
internal readonly ref struct ToolResult
{
    private static readonly byte[][] BlockMembers = CliLine.Names("type", "tool_use_id", "content", "is_error");
    private static readonly byte[][] StructuredMembers =
        CliLine.Names("stdout", "stderr", "tool_use_id", "content", "is_error", "tool_name");

    public JsonSlice ToolUseId { get; private init; }
    public JsonSlice ToolName { get; private init; }
    public JsonSlice Content { get; private init; }
    public JsonSlice IsError { get; private init; }
    public JsonSlice Stdout { get; private init; }
    public JsonSlice Stderr { get; private init; }

    /// <summary>False where the line has no <c>tool_use_result</c>, or names no call.</summary>
    public static bool TryFind(ReadOnlySpan<byte> line, JsonSlice message, JsonSlice structured, out ToolResult result)
    {
        result = default;
        if (!structured.IsObject && !structured.IsString && !structured.IsArray)
        {
            return false;
        }

        Span<JsonSlice> block = stackalloc JsonSlice[4];
        foreach (var candidate in CliContent.BlocksOf(line, message))
        {
            if (candidate.IsObject
                && Json.TryFind(line, candidate, BlockMembers, block)
                && Json.TextEquals(line, block[0], "tool_result"u8))
            {
                break;
            }

            block.Clear();
        }

        Span<JsonSlice> inner = stackalloc JsonSlice[6];
        if (structured.IsObject)
        {
            Json.TryFind(line, structured, StructuredMembers, inner);
        }

        var hasBlock = block[1].HasValue;
        result = new()
        {
            ToolUseId = hasBlock ? block[1] : inner[2],
            ToolName = inner[5],
            Content = hasBlock ? block[2] : inner[3],
            IsError = hasBlock ? block[3] : inner[4],
            Stdout = inner[0],
            Stderr = inner[1],
        };
        return result.ToolUseId.HasValue;
    }
}
