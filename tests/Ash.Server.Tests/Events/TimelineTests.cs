using System.Text.Json;
using Ash.Server.Events;
using static Ash.Server.Tests.Events.Rows;

namespace Ash.Server.Tests.Events;

public sealed class TimelineTests
{
    private static List<LogItem> Read(params EventRow[] rows)
    {
        var timeline = new Timeline(Session);
        List<LogItem> entries = [];
        foreach (var row in rows)
        {
            timeline.Read(row, entries);
        }

        Assert.All(entries, entry => JsonDocument.Parse(entry.Text.ToString()).Dispose());
        return entries;
    }

    private static void AssertEntry(EventRow row, string type, string data)
    {
        var entry = Assert.Single(Read(row));
        Assert.Equal((type, data), (entry.Kind, entry.Text.ToString()));
    }

    [Theory]
    [InlineData(nameof(EventType.SessionCreated), """{"agentName":"echo"}""", """{"action":"created","agentName":"echo"}""")]
    [InlineData(nameof(EventType.SessionCreated), """{"agentName":"echo","parentSessionId":null}""", """{"action":"created","agentName":"echo","parentSessionId":null}""")]
    [InlineData(nameof(EventType.SessionCreated), """{"parentSessionId":"p"}""", """{"action":"forked","parentSessionId":"p"}""")]
    [InlineData(nameof(EventType.SessionPaused), """{"reason":"idle"}""", """{"action":"paused","reason":"idle"}""")]
    [InlineData(nameof(EventType.SessionWoken), """{"path":"cold","source":"local"}""", """{"action":"resumed","path":"cold","source":"local"}""")]
    [InlineData(nameof(EventType.SessionStopped), "{}", """{"action":"stopped"}""")]
    [InlineData(nameof(EventType.SessionEnded), "", """{"action":"ended"}""")]
    [InlineData(nameof(EventType.SandboxLost), """{"cause":"oom"}""", """{"action":"sandbox.lost","cause":"oom"}""")]
    [InlineData(nameof(EventType.TurnStarted), """{"version":"0.1.0"}""", """{"action":"turn.started","version":"0.1.0"}""")]
    public void Fact_IsLifecycle(string type, string payload, string data) =>
        AssertEntry(Row(1, Enum.Parse<EventType>(type), payload), "lifecycle", data);

    [Fact]
    public void Error_IsError()
    {
        AssertEntry(Row(1, EventType.Error, """{"error":"e","detail":1}"""), "error", """{"error":"e"}""");
        Assert.Equal(
            ["error", "lifecycle"],
            Read(Row(1, EventType.TurnCompleted, """{"reason":"timeout","error":"e"}""", Turn)).Select(entry => entry.Kind));
    }

    [Fact]
    public void Blocks_AreTheirEntries_InOrder()
    {
        var entries = Read(Cli(4, """{"type":"assistant","message":{"content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"a\"b"},{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"ls"}},{"type":"other"}]}}"""));

        Assert.Equal(
            [
                ("reasoning", """{"thinking":"hm"}"""),
                ("text", """{"text":"a\"b"}"""),
                ("tool_start", """{"toolName":"Bash","toolId":"toolu_1","input":{"command":"ls"}}"""),
            ],
            entries.Select(entry => (entry.Kind, entry.Text.ToString())));
        Assert.All(entries, entry => Assert.Equal(4, entry.Sequence));
        Assert.Equal(3, entries.Select(entry => entry.Id).Distinct().Count());
    }

    [Fact]
    public void ToolResult_HasWhatWasPrinted() =>
        AssertEntry(
            Cli(5, """{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"c"}]},"tool_use_result":{"stdout":"out","stderr":"err"}}"""),
            "tool_result",
            """{"toolId":"toolu_1","stdout":"out","stderr":"err"}""");

    [Fact]
    public void FailedToolResult_HasTheBlocksContent() =>
        AssertEntry(
            Cli(5, """{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"c","is_error":true}]},"tool_use_result":"Error: c"}"""),
            "tool_result",
            """{"toolId":"toolu_1","stdout":"c","stderr":""}""");

    [Fact]
    public void Result_IsTurnComplete() =>
        AssertEntry(
            Cli(5, """{"result":"hi","num_turns":2,"type":"result"}"""), "turn_complete", """{"numTurns":2,"result":"hi"}""");

    [Fact]
    public void MessagesAndDeltas_HaveNoEntry() =>
        Assert.Empty(Read(Row(1, EventType.Message, """{"content":"hi"}""", Turn), Cli(2, TextDelta)));

    [Fact]
    public void SecondReading_GivesTheSame() =>
        Assert.Equal(Read(WholeTurn(1, Turn)).Select(entry => (entry.Id, entry.Text.ToString())), Read(WholeTurn(1, Turn)).Select(entry => (entry.Id, entry.Text.ToString())));
}
