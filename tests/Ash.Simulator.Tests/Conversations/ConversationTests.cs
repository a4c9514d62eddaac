using System.Text.Json;
using System.Text.Json.Nodes;
using Ash.Simulator.Conversations;
using Ash.Simulator.Replies;
using static Ash.Simulator.Tests.ModelRequests;

namespace Ash.Simulator.Tests.Conversations;

public sealed class ConversationTests
{
    [Fact]
    public void UserTexts_AreAllThatTheUserSaid_InOrder()
    {
        var conversation = Read(User("a"), Assistant("x"), User("b"), Assistant("y"), User("c"));

        Assert.Equal(["a", "b", "c"], conversation.UserTexts);
        Assert.Equal("c", conversation.Prompt);
        Assert.Equal(0, conversation.Step);
    }

    [Fact]
    public void UserTexts_AreSeparate_WhenTheClientMergedMessagesIntoBlocks()
    {
        var conversation = Read(User(Text("silent one\n"), Text("silent two\n"), Text("asked")));

        Assert.Equal(["silent one", "silent two", "asked"], conversation.UserTexts);
        Assert.Equal("silent one\nsilent two\nasked", conversation.Prompt);
    }

    [Fact]
    public void UserTexts_AreSeparate_WhenTheyComeAsMessagesOfTheirOwn()
    {
        Assert.Equal(["a", "b"], Read(User("a"), User("b")).UserTexts);
    }

    [Fact]
    public void Reminders_AreNotTheUsers()
    {
        var conversation = Read(User(
            Text("<system-reminder>\ntoday is\n</system-reminder>"), Text("before <system-reminder>x</system-reminder> after")));

        Assert.Equal(["before  after"], conversation.UserTexts);
    }

    [Theory]
    [InlineData("[Request interrupted by user]")]
    [InlineData("[Request interrupted by user for tool use]\n")]
    [InlineData("Output token limit hit. Resume directly")]
    [InlineData("[Your previous response had no visible output. Please continue and produce a user-visible response.]")]
    [InlineData("Continue from where you left off.")]
    public void TextsOfTheClient_ContinueTheTurn(string text)
    {
        var conversation = Read(User("a"), Assistant("x"), User(text));

        Assert.Equal(["a"], conversation.UserTexts);
        Assert.Equal("a", conversation.Prompt);
        Assert.Equal(1, conversation.Step);
    }

    [Theory]
    [InlineData("<task-notification>\n<task-id>1</task-id></task-notification>")]
    [InlineData("<local-command-stdout>Set model to x</local-command-stdout>")]
    [InlineData("This session is being continued from a previous conversation that ran out of context. …")]
    public void NoticesOfTheClient_BeginATurn_ButAreNotTheUsers(string notice)
    {
        var conversation = Read(User("a"), Assistant("x"), User(notice));

        Assert.Equal(["a"], conversation.UserTexts);
        Assert.Equal(notice, conversation.Prompt);
        Assert.Equal(0, conversation.Step);
    }

    [Fact]
    public void ContinuationsOfTheScript_AreLeftOut()
    {
        var body = JsonSerializer.SerializeToElement(Body(User("a"), Assistant("x"), User("carry on, please")));
        var conversation = Conversation.Read(body, ["^carry on"]);

        Assert.Equal(["a"], conversation.UserTexts);
        Assert.Equal(1, conversation.Step);
    }

    [Fact]
    public void Step_CountsTheRepliesSinceThePrompt()
    {
        var conversation = Read(
            User("a"), Assistant("x"), User("b"), Assistant(ToolUse("1")), User(ToolResult("first", "1")),
            Assistant(ToolUse("2")), User(ToolResult("second", "2")));

        Assert.Equal("b", conversation.Prompt);
        Assert.Equal(2, conversation.PromptAt);
        Assert.Equal(2, conversation.Step);
        Assert.Equal("second", conversation.ToolResult);
        Assert.Equal(["a", "b"], conversation.UserTexts);
    }

    [Fact]
    public void ToolResult_IsTheTextOfItsBlocks()
    {
        var result = ToolResult("");
        result["content"] = new JsonArray(Text("one "), Text("two"));

        Assert.Equal("one two", Read(User("a"), Assistant(ToolUse()), User(result)).ToolResult);
    }

    [Fact]
    public void TextBesideAToolResult_BelongsToTheTurn()
    {
        var conversation = Read(User("a"), Assistant(ToolUse()), User(ToolResult("r"), Text("b")));

        Assert.Equal(["a", "b"], conversation.UserTexts);
        Assert.Equal("a", conversation.Prompt);
        Assert.Equal(1, conversation.Step);
    }

    [Theory]
    [InlineData("b @@fake [{}]", "")]
    [InlineData("b", "[Request interrupted by user for tool use]")]
    public void TextBesideAToolResult_BeginsATurn_WithItsOwnScriptOrAfterAnInterruption(string text, string interruption)
    {
        var conversation = Read(User("a"), Assistant(ToolUse()), User(ToolResult("r"), Text(interruption), Text(text)));

        Assert.Equal(text, conversation.Prompt);
        Assert.Equal(0, conversation.Step);
    }

    [Fact]
    public void MessageSentWhileAToolRan_IsTheUsers_ThoughAReminderHandsItOn()
    {
        const string Text = "The user sent a new message while you were working:\nfolded\nin\n\n"
            + "This is how Claude Code surfaces messages the user sends mid-turn — within the running turn.";
        var conversation = Read(User("a"), Assistant(ToolUse()), User(ToolResult("r")), Reminder(Text), Assistant("x"));

        Assert.Equal(["a", "folded\nin"], conversation.UserTexts);
        Assert.Equal("a", conversation.Prompt);
        Assert.Equal(2, conversation.Step);
    }

    [Fact]
    public void ScriptInAPrompt_IsShortened()
    {
        var conversation = Read(User("""@@fake [{"text":"x"}]"""), Assistant("x"), User("please @@fake {}"));

        Assert.Equal(["@@fake", "please"], conversation.UserTexts);
        Assert.Equal("please @@fake {}", conversation.Prompt);
    }

    [Fact]
    public void ImageAlone_CountsAsAText_WithoutTheClientsCaption()
    {
        var image = User(new JsonObject { ["type"] = "image" }, Text("[Image: source: /tmp/1.png]"));

        Assert.Equal(["a", "[multimodal content]", "b"], Read(User("a"), image, User("b")).UserTexts);
    }

    [Fact]
    public void SlashCommand_IsShownAsTyped_WithoutWhatTheClientMadeOfIt()
    {
        var conversation = Read(User(
            Text("<command-message>greet</command-message>\n<command-name>/greet</command-name>\n<command-args>Bob</command-args>\n"),
            Text("Base directory for this skill: /workspace/.claude/skills/greet\n\nSay hello to Bob"),
            Text("and more")));

        Assert.Equal(["/greet Bob", "and more"], conversation.UserTexts);
        Assert.Contains("Say hello to Bob", conversation.Prompt, StringComparison.Ordinal);
    }

    [Fact]
    public void CommandOfTheClient_IsLeftOut()
    {
        var conversation = Read(User(
            Text("<local-command-caveat>The command below was run directly in Claude Code</local-command-caveat>"),
            Text("<command-name>/context</command-name>\n<command-message>context</command-message>\n<command-args></command-args>"),
            Text("<local-command-stdout>## Context Usage</local-command-stdout>"),
            Text("b")));

        Assert.Equal(["b"], conversation.UserTexts);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"messages":7}""")]
    [InlineData("""{"messages":[7,null,{"role":1},{"role":"user"},{"role":"user","content":{}},{"role":"user","content":[1,{"type":2}]}]}""")]
    public void OtherShapes_CountAsEmpty(string body)
    {
        var conversation = Conversation.Read(JsonDocument.Parse(body).RootElement, []);

        Assert.Empty(conversation.UserTexts);
        Assert.Equal("", conversation.Prompt);
    }

    [Fact]
    public void DefaultAnswer_ShowsTheFirstTurn()
    {
        Assert.Equal("[Mock] Turn 1 | History: a", DefaultAnswer.For(Read(User("a"))));
    }

    [Fact]
    public void DefaultAnswer_ShowsTheWholeHistory_InLaterTurns()
    {
        Assert.Equal(
            "[Resumed session] Turn 3 | History: a | b | c",
            DefaultAnswer.For(Read(User("a"), Assistant("x"), User(Text("b"), Text("c")))));
    }

    private static Conversation Read(params JsonObject[] messages) =>
        Conversation.Read(JsonSerializer.SerializeToElement(Body(messages)), []);
}
