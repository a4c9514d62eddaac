using System.Buffers;
using Ash.Server.Events;
using static Ash.Server.Tests.Events.Rows;

namespace Ash.Server.Tests.Events;

public sealed class FrameRendererTests
{
    private static void AssertFrames(EventRow row, string expected) =>
        Assert.Equal(expected.ReplaceLineEndings("\n") + "\n\n", Render(row));

    [Fact]
    public void TurnStarted_IsSessionStart_WithTheVersionOfItsTime() =>
        AssertFrames(
            Row(3, EventType.TurnStarted, """{"version":"0.1.0"}""", Turn),
            """
            event: session_start
            data: {"sessionId":"0197f0aa-0000-7000-8000-000000000001","version":"0.1.0"}
            id: 3
            """);

    [Fact]
    public void AssistantText_IsTheMessageAlone() =>
        AssertFrames(
            Cli(4, """{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"hi"}]}}"""),
            """
            event: message
            data: {"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"hi"}]}}
            id: 4
            """);

    [Fact]
    public void Result_IsTurnComplete_ThenTheMessage_WhereverItsTypeStands() =>
        AssertFrames(
            Cli(5, """{"num_turns":1, "result":"caf\u00e9 ☕","is_error":false,"type":"result"}"""),
            """
            event: turn_complete
            data: {"numTurns":1,"result":"caf\u00e9 ☕"}
            id: 5.1

            event: message
            data: {"num_turns":1, "result":"caf\u00e9 ☕","is_error":false,"type":"result"}
            id: 5
            """);

    [Fact]
    public void ResultWithoutText_IsTurnComplete_WithTheNumberAlone() =>
        AssertFrames(
            Cli(5, """{"type":"result","subtype":"error_max_turns","num_turns":3}"""),
            """
            event: turn_complete
            data: {"numTurns":3}
            id: 5.1

            event: message
            data: {"type":"result","subtype":"error_max_turns","num_turns":3}
            id: 5
            """);

    [Theory]
    [InlineData("""{"type":"text_delta","text":"a\nb"}""", "text_delta", """{"delta":"a\nb"}""")]
    [InlineData("""{"type":"thinking_delta","thinking":"hm"}""", "thinking_delta", """{"delta":"hm"}""")]
    [InlineData("""{"type":"input_json_delta","partial_json":"{\""}""", "input_json_delta", """{"type":"input_json_delta","partial_json":"{\""}""")]
    [InlineData("""{"type":"signature_delta","signature":"s"}""", "signature_delta", """{"type":"signature_delta","signature":"s"}""")]
    public void Delta_HasItsOwnFrame_BeforeTheMessage(string delta, string name, string data)
    {
        var line = $$"""{"type":"stream_event","event":{"type":"content_block_delta","index":0,"delta":{{delta}}},"uuid":"u"}""";

        Assert.Equal($"event: {name}\ndata: {data}\nid: 7.1\n\nevent: message\ndata: {line}\nid: 7\n\n", Render(Cli(7, line)));
    }

    [Fact]
    public void OtherStreamEvents_AreTheMessageAlone()
    {
        var line = """{"type":"stream_event","event":{"type":"content_block_stop","index":1}}""";

        Assert.Equal($"event: message\ndata: {line}\nid: 7\n\n", Render(Cli(7, line)));
    }

    [Fact]
    public void AssistantBlocks_HaveFramesInTheirOrder_TextHasNone()
    {
        var line = """{"type":"assistant","message":{"content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"t"},{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"ls"},"caller":1},{"type":"server_tool_use","id":"x"}]}}""";

        Assert.Equal(
            "event: thinking_delta\ndata: {\"delta\":\"hm\"}\nid: 9.1\n\n"
            + "event: tool_use\ndata: {\"id\":\"toolu_1\",\"name\":\"Bash\",\"input\":{\"command\":\"ls\"}}\nid: 9.2\n\n"
            + "event: server_tool_use\ndata: {\"type\":\"server_tool_use\",\"id\":\"x\"}\nid: 9.3\n\n"
            + $"event: message\ndata: {line}\nid: 9\n\n",
            Render(Cli(9, line)));
    }

    [Theory]
    [InlineData(
        """{"type":"user","message":{"role":"user","content":[{"tool_use_id":"toolu_1","type":"tool_result","content":"c","is_error":false}]},"tool_use_result":{"stdout":"hello-42","stderr":""}}""",
        """{"tool_use_id":"toolu_1","content":"hello-42","is_error":false}""")]
    [InlineData(
        """{"type":"user","message":{"content":[{"tool_use_id":"toolu_1","type":"tool_result","content":"No such file","is_error":true}]},"tool_use_result":"Error: No such file"}""",
        """{"tool_use_id":"toolu_1","content":"No such file","is_error":true}""")]
    [InlineData(
        """{"type":"user","message":{"content":[{"tool_use_id":"toolu_1","type":"tool_result","content":[{"type":"text","text":"1"}]}]},"tool_use_result":{"type":"create","content":"the file"}}""",
        """{"tool_use_id":"toolu_1","content":[{"type":"text","text":"1"}]}""")]
    [InlineData(
        """{"type":"user","message":{"content":"x"},"tool_use_result":{"tool_use_id":"toolu_2","content":"c","is_error":true}}""",
        """{"tool_use_id":"toolu_2","content":"c","is_error":true}""")]
    public void ToolResult_NamesItsCall_WhereverTheLineDoes(string line, string data) =>
        Assert.Equal(
            $"event: tool_result\ndata: {data}\nid: 2.1\n\nevent: message\ndata: {line}\nid: 2\n\n", Render(Cli(2, line)));

    [Theory]
    [InlineData("""{"type":"user","message":{"content":[{"type":"text","text":"[Request interrupted by user]"}]}}""")]
    [InlineData("""{"type":"user","message":{"content":"x"},"tool_use_result":null}""")]
    [InlineData("""{"type":"user","message":{"content":"x"},"tool_use_result":"Error"}""")]
    [InlineData("""{"type":"system","subtype":"init","session_id":"s"}""")]
    [InlineData("""{"type":"assistant","message":{"content":"plain"}}""")]
    [InlineData("""{"type":"assistant","message":{"content":[1,null,[],"x",{}]}}""")]
    [InlineData("""{"type":"assistant","message":7}""")]
    [InlineData("""{"type":"new_type"}""")]
    [InlineData("""{}""")]
    public void OtherLines_AreTheMessageAlone(string line) =>
        Assert.Equal($"event: message\ndata: {line}\nid: 2\n\n", Render(Cli(2, line)));

    [Theory]
    [InlineData("done")]
    [InlineData("error")]
    [InlineData("message")]
    [InlineData("session_start")]
    [InlineData("tool_result")]
    [InlineData("a\\nevent: done")]
    [InlineData("d\\u006fne")]
    [InlineData("with space")]
    [InlineData("")]
    public void Block_WithANameThatOnlyAshMaySay_HasNoFrame(string type)
    {
        var line = $$$"""{"type":"assistant","message":{"content":[{"type":"{{{type}}}"}]}}""";

        Assert.Equal($"event: message\ndata: {line}\nid: 2\n\n", Render(Cli(2, line)));
    }

    [Fact]
    public void LineWithTooManyBlocks_HasAFrameForTheFirstThousand()
    {
        var blocks = string.Join(',', Enumerable.Repeat("""{"type":"x"}""", 5000));
        var frames = Render(Cli(2, $$$"""{"type":"assistant","message":{"content":[{{{blocks}}}]}}""")).Split("\n\n");

        Assert.Equal(FrameRenderer.MaxGranularFrames + 2, frames.Length);
        Assert.EndsWith("id: 2.1000", frames[999], StringComparison.Ordinal);
        Assert.EndsWith("id: 2", frames[1000], StringComparison.Ordinal);
    }

    [Fact]
    public void TurnThatCompleted_IsDone() =>
        AssertFrames(
            Row(6, EventType.TurnCompleted, """{"reason":"completed","retryable":false,"result":"hi"}""", Turn),
            """
            event: done
            data: {"sessionId":"0197f0aa-0000-7000-8000-000000000001","turnId":"0197f0aa-0000-7000-8000-0000000000aa","reason":"completed"}
            id: 6
            """);

    [Fact]
    public void TurnThatFailed_IsError_ThenDone() =>
        AssertFrames(
            Row(6, EventType.TurnCompleted, """{"reason":"model_error","code":"overloaded","error":"Try \"again\".","retryable":true}""", Turn),
            """
            event: error
            data: {"error":"Try \"again\".","reason":"model_error","code":"overloaded","retryable":true}
            id: 6.1

            event: done
            data: {"sessionId":"0197f0aa-0000-7000-8000-000000000001","turnId":"0197f0aa-0000-7000-8000-0000000000aa","reason":"model_error"}
            id: 6
            """);

    [Fact]
    public void FactsWithoutAFrameOfTheirOwn_AreLifecycle()
    {
        AssertFrames(
            Row(1, EventType.SessionCreated, """{"agentName":"echo"}"""),
            """
            event: lifecycle
            data: {"type":"session.created","seq":1,"at":"2026-01-15T10:00:00.123Z","agentName":"echo"}
            id: 1
            """);
        AssertFrames(
            Row(2, EventType.TurnQueued, "{}", Turn),
            """
            event: lifecycle
            data: {"type":"turn.queued","seq":2,"at":"2026-01-15T10:00:00.123Z","turnId":"0197f0aa-0000-7000-8000-0000000000aa"}
            id: 2
            """);
    }

    [Fact]
    public void MessageWithLineEndsBetweenItsTokens_StaysOnOneLine() =>
        AssertFrames(
            Row(1, EventType.Message, "{\"content\":[\r\n{\"type\":\"text\",\"text\":\"a\\nb\"}\n]}", Turn),
            """
            event: lifecycle
            data: {"type":"message","seq":1,"at":"2026-01-15T10:00:00.123Z","turnId":"0197f0aa-0000-7000-8000-0000000000aa","content":[  {"type":"text","text":"a\nb"} ]}
            id: 1
            """);

    [Fact]
    public void Skip_LeavesOutTheFirstFrames_AndNothingElse()
    {
        var row = Cli(5, """{"type":"result","num_turns":1}""");
        var whole = Render(row);

        Assert.Equal(whole, Render(row, skip: 0));
        Assert.Equal(whole[(whole.IndexOf("\n\n", StringComparison.Ordinal) + 2)..], Render(row, skip: 1));
        Assert.Equal("", Render(row, skip: 2));
        Assert.Equal("", Render(row, skip: int.MaxValue));
    }

    [Fact]
    public void Turn_IsRenderedAsInTheContract()
    {
        var frames = string.Concat(WholeTurn(1, Turn).Where(row => row.Seq is not (1 or 2 or 4)).Select(row => Render(row)));
        var names = frames.Split('\n').Where(line => line.StartsWith("event: ", StringComparison.Ordinal)).Select(line => line[7..]);

        Assert.Equal(["session_start", "message", "turn_complete", "message", "done"], names);
    }

    [Fact]
    public void Rendering_AllocatesNothing_OnceItsBuffersAreThere()
    {
        var renderer = new FrameRenderer(Session);
        var output = new ArrayBufferWriter<byte>(64 * 1024);
        var rows = WholeTurn(1, Turn);

        void RenderAll()
        {
            foreach (var row in rows)
            {
                renderer.Render(row, output);
            }

            output.ResetWrittenCount();
        }

        RenderAll();
        var before = GC.GetAllocatedBytesForCurrentThread();
        RenderAll();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void DeeplyNestedInput_IsStillTheMessage()
    {
        var deep = new string('[', 10_000) + new string(']', 10_000);
        var line = $$$"""{"type":"assistant","message":{"content":{{{deep}}}}}""";

        Assert.Equal($"event: message\ndata: {line}\nid: 2\n\n", Render(Cli(2, line)));
    }
}
