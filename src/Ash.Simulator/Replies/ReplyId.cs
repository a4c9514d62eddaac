namespace Ash.Simulator.Replies;

/// <summary>Ids that look like the API's and say where they come from.</summary>
internal static class ReplyId
{
    public static string Message() => New("msg");

    public static string ToolUse() => New("toolu");

    public static string Request() => New("req");

    private static string New(string prefix) => $"{prefix}_sim{Guid.NewGuid():N}";
}
