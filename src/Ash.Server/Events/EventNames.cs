using System.Buffers;

namespace Ash.Server.Events;

/// <summary>Decides which names of the CLI may become names of frames.</summary>
internal static class EventNames
{
    private const int MaxLength = 64;

    private static readonly SearchValues<byte> Letters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."u8);

    // A sandbox must not be able to say `done`, or anything else that Ash says.
    private static readonly byte[][] Reserved = CliLine.Names(
        "session_start", "message", "text_delta", "thinking_delta", "tool_use", "tool_result", "turn_complete", "error", "done",
        "session_end", "lifecycle");

    /// <summary>Whether a block or a delta of this type, as it is written in the line, gets a frame of its own.</summary>
    public static bool MayPass(ReadOnlySpan<byte> type)
    {
        if (type.Length is 0 or > MaxLength || type.ContainsAnyExcept(Letters))
        {
            return false;
        }

        foreach (var name in Reserved)
        {
            if (type.SequenceEqual(name))
            {
                return false;
            }
        }

        return true;
    }
}
