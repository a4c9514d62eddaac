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
        var message = History.Read(Session, "default", Row(3, EventType.Message, payload, Turn));

        Assert.NotNull(message);
        Assert.Equal(("user", content, 3L, At), (message.Role, message.Content, message.Sequence, message.CreatedAt));
        Assert.Equal((Session, "default"), (message.SessionId, message.TenantId));
    }

    [Theory]
    [InlineData("""{"type":"assistant","message":{"content":[]}}""")]
    [InlineData("""{"num_turns":1,"type":"result"}""")]
    public void AnswerAndResult_AreAssistantsMessages_AsTheyCame(string line)
    {
        var message = History.Read(Session, "default", Cli(4, line));

        Assert.Equal(("assistant", line), (message?.Role, message?.Content));
    }

    [Fact]
    public void EverythingElse_IsNoMessage()
    {
        Assert.Null(History.Read(Session, "default", Cli(4, TextDelta)));
        Assert.Null(History.Read(Session, "default", Cli(4, """{"type":"user","message":{"content":"x"}}""")));
        Assert.Null(History.Read(Session, "default", Row(4, EventType.TurnStarted, """{"version":"0.1.0"}""")));
    }

    [Fact]
    public void IdOfAMessage_IsNotThatOfAnEntryOfTheTimeline()
    {
        var row = Cli(4, """{"type":"assistant","message":{"content":[{"type":"text","text":"hi"}]}}""");
        List<Ash.Protocol.Api.SessionEventInfo> entries = [];
        new Timeline(Session, "default").Read(row, entries);

        Assert.NotEqual(Assert.Single(entries).Id, History.Read(Session, "default", row)?.Id);
    }
}
