using Ash.Server.Events;
using static Ash.Server.Tests.Events.Rows;

namespace Ash.Server.Tests.Events;

public sealed class HistoryTests
{
    [Theory]
    [InlineData("""{"content":"hi"}""", """{"type":"user","content":"hi"}""")]
    [InlineData("""{"options":{}, "content":[{"type":"text","text":"é\n"}]}""", """{"type":"user","content":[{"type":"text","text":"é\n"}]}""")]
    public void ClientsMessage_IsAUsersMessage(string payload, string content)
    {
        var message = History.Read(Session, Row(3, EventType.Message, payload, Turn));

        Assert.Equal(("user", content, 3L, At), (message?.Kind, message?.Text.ToString(), message?.Sequence, message?.At));
    }

    [Theory]
    [InlineData("""{"type":"assistant","message":{"content":[]}}""")]
    [InlineData("""{"num_turns":1,"type":"result"}""")]
    public void AnswerAndResult_AreAssistantsMessages_AsTheyCame(string line)
    {
        var message = History.Read(Session, Cli(4, line));

        Assert.Equal(("assistant", line), (message?.Kind, message?.Text.ToString()));
    }

    [Fact]
    public void EverythingElse_IsNoMessage()
    {
        Assert.Null(History.Read(Session, Cli(4, TextDelta)));
        Assert.Null(History.Read(Session, Cli(4, """{"type":"user","message":{"content":"x"}}""")));
        Assert.Null(History.Read(Session, Row(4, EventType.TurnStarted, """{"version":"0.1.0"}""")));
    }

    [Fact]
    public void IdOfAMessage_IsNotThatOfAnEntryOfTheTimeline()
    {
        var row = Cli(4, """{"type":"assistant","message":{"content":[{"type":"text","text":"hi"}]}}""");
        List<LogItem> entries = [];
        new Timeline(Session).Read(row, entries);

        Assert.NotEqual(Assert.Single(entries).Id, History.Read(Session, row)?.Id);
    }
}
