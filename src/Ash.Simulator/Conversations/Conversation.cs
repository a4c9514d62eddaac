using System.Text.Json;
using Ash.Simulator.Scripts;

namespace Ash.Simulator.Conversations;

/// <summary>A request's messages as a test sees them: what the user said, and how far the answer to the last of it is.</summary>
internal sealed record Conversation
{
    public static Conversation Empty { get; } = new();

    /// <summary>All that the user said, in order, without anything that the client added.</summary>
    public IReadOnlyList<string> UserTexts { get; init; } = [];

    /// <summary>The text that began the turn: several blocks of one message are lines of it.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>Where the prompt stands among the messages; -1 without one.</summary>
    public int PromptAt { get; init; } = -1;

    /// <summary>The model's replies since the prompt.</summary>
    public int Step { get; init; }

    /// <summary>The text of the last tool result.</summary>
    public string? ToolResult { get; init; }

    public int MessageCount { get; init; }

    /// <summary>Reads what it can; what has another shape than the API's counts as empty.</summary>
    public static Conversation Read(JsonElement body, IReadOnlyList<ScriptPattern> continuations)
    {
        var conversation = Empty;
        var userTexts = new List<string>();
        var index = 0;

        foreach (var message in MessageJson.Items(body, "messages"))
        {
            conversation = MessageJson.Text(message, "role") switch
            {
                "assistant" => conversation with { Step = conversation.Step + 1 },
                "user" => conversation.WithUserMessage(index, message, userTexts, continuations),
                "system" => conversation.WithReminder(index, message, userTexts),
                _ => conversation,
            };
            index++;
        }

        return conversation with { UserTexts = userTexts, MessageCount = index };
    }

    private Conversation WithUserMessage(
        int index, JsonElement message, List<string> userTexts, IReadOnlyList<ScriptPattern> continuations)
    {
        var content = MessageJson.ContentOf(message).ToList();
        var results = content.Where(block => block.Kind == "tool_result").ToList();
        var texts = content
            .Where(block => block.Kind == "text")
            .Select(block => ClientText.Clean(block.Text))
            .Where(text => text != "" && !continuations.Any(own => own.IsIn(text)))
            .ToList();
        var prompts = texts.Where(text => !ClientText.IsInterruption(text) && !ClientText.IsContinuation(text)).ToList();
        var said = ClientText.SaidIn(texts).ToList();

        if (said.Count == 0 && content.Any(block => block.Kind is "image" or "document"))
        {
            said.Add("[multimodal content]");
        }

        userTexts.AddRange(said.Select(InlineScript.Shorten));

        var next = results.Count == 0 ? this : this with { ToolResult = results[^1].Text };
        // A prompt that was sent while a tool ran stands beside the result and belongs to the running turn,
        // unless it brings a script of its own or comes after an interruption.
        var begins = prompts.Count + said.Count > 0
            && (results.Count == 0 || texts.Any(ClientText.IsInterruption) || prompts.Any(CarriesScript));

        return begins ? next with { Prompt = string.Join('\n', prompts), PromptAt = index, Step = 0 } : next;
    }

    private Conversation WithReminder(int index, JsonElement message, List<string> userTexts)
    {
        var texts = MessageJson.ContentOf(message).SelectMany(block => ClientText.MidTurnMessages(block.Text)).Where(text => text != "").ToList();
        userTexts.AddRange(texts.Select(InlineScript.Shorten));

        return texts.Any(CarriesScript)
            ? this with { Prompt = string.Join('\n', texts), PromptAt = index, Step = 0 }
            : this;
    }

    private static bool CarriesScript(string text) => text.Contains(InlineScript.Mark, StringComparison.Ordinal);
}
