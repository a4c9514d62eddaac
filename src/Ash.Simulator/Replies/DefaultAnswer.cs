using Ash.Simulator.Conversations;

namespace Ash.Simulator.Replies;

/// <summary>What the scripted model says without a script: all that the user said so far, so that a test sees what the model saw.</summary>
internal static class DefaultAnswer
{
    /// <summary>The answer is streamed in so many pieces.</summary>
    public const int Pieces = 3;

    public static string For(Conversation conversation)
    {
        var turn = conversation.UserTexts.Count;

        return $"{(turn < 2 ? "[Mock]" : "[Resumed session]")} Turn {turn} | History: {HistoryOf(conversation)}";
    }

    public static string HistoryOf(Conversation conversation) => string.Join(" | ", conversation.UserTexts);
}
