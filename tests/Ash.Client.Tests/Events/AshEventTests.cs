using System.Text;
using Ash.Client.Events;

namespace Ash.Client.Tests.Events;

public sealed class AshEventTests
{
    private static readonly Guid Id = new("019a0000-0000-7000-8000-000000000001");

    public static TheoryData<string, string, EventBody> Shapes => new()
    {
        { "text_delta", """{"delta":"hi"}""", new TextDelta("hi") },
        { "thinking_delta", """{"delta":"hm"}""", new ThinkingDelta("hm") },
        { "turn_complete", """{"numTurns":2,"result":"ok"}""", new TurnComplete(2, "ok") },
        { "error", """{"error":"no","code":"model_error"}""", new TurnError("no", "model_error") },
        { "error", """{"error":"no"}""", new TurnError("no", null) },
        { "done", $$"""{"sessionId":"{{Id}}"}""", new Done(Id, null, null) },
        { "done", $$"""{"sessionId":"{{Id}}","turnId":"{{Id}}","reason":"interrupted"}""", new Done(Id, Id, "interrupted") },
        { "session_start", $$"""{"sessionId":"{{Id}}","version":"1"}""", new SessionStart(Id, "1") },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void KnownEvent_HasTheShapeOfItsName(string name, string data, EventBody expected) =>
        Assert.Equal(expected, Event(name, data).Body);

    [Fact]
    public void Tool_KeepsItsInput_AndItsResult()
    {
        var use = Assert.IsType<ToolUse>(Event("tool_use", """{"id":"t1","name":"Bash","input":{"command":"ls"}}""").Body);
        var result = Assert.IsType<ToolResult>(Event("tool_result", """{"tool_use_id":"t1","content":"a","is_error":true}""").Body);

        Assert.Equal("ls", use.Input.GetProperty("command").GetString());
        Assert.Equal(("t1", "a", true), (result.ToolUseId, result.Content.GetString(), result.IsError));
    }

    [Fact]
    public void Lifecycle_TellsTypeSequenceAndTurn()
    {
        var fact = Assert.IsType<Lifecycle>(Event("lifecycle", $$"""{"type":"turn.queued","seq":4,"turnId":"{{Id}}"}""").Body);

        Assert.Equal(("turn.queued", 4L, Id), (fact.Type, fact.Sequence, fact.TurnId));
    }

    [Theory]
    [InlineData("text_delta", "not json")]
    [InlineData("text_delta", "[1]")]
    [InlineData("text_delta", """{"delta":5}""")]
    [InlineData("input_json_delta", """{"delta":"x"}""")]
    public void UnknownOrMalformedEvent_StillHasItsData(string name, string data)
    {
        var read = Event(name, data);

        Assert.IsType<OtherBody>(read.Body);
        Assert.Equal(data, Encoding.UTF8.GetString(read.Data.Span));
    }

    // An attribute cannot hold half of a pair.
    public static TheoryData<string, string> Halves => new()
    {
        { """{"delta":"a\ud800b"}""", "a\ud800b" },
        { """{"delta":"\ude00"}""", "\ude00" },
        { """{"delta":"\uD83D\ude00 \"\\\/\b\f\n\r\t\u00e9é"}""", "\ud83d\ude00 \"\\/\b\f\n\r\téé" },
        { """{"\ud800":1,"delta":"hi"}""", "hi" },
        { """{"\ud800":1,"delta":"one","d\u0065lta":"two"}""", "two" },
    };

    [Theory]
    [MemberData(nameof(Halves))]
    public void HalfASurrogatePair_IsReadAsItIs(string data, string text)
    {
        // The half is well-formed JSON, and its other half may come with the next delta.
        Assert.Equal(new TextDelta(text), Event("text_delta", data).Body);
    }

    [Fact]
    public void EventThatIsNestedDeeply_IsRead()
    {
        var read = Event("tool_use", $$"""{"id":"t1","name":"Deep","input":{{new string('[', 250)}}{{new string(']', 250)}} }""");

        Assert.Equal("Deep", Assert.IsType<ToolUse>(read.Body).Name);
    }

    [Fact]
    public void TextThatIsNoUtf8_IsReadWithAMarkInItsPlace()
    {
        var read = new AshEvent("text_delta", (byte[])[.. "{\"delta\":\"a"u8, 0xff, .. "\"}"u8]);

        Assert.Equal(new TextDelta("a\ufffd"), read.Body);
    }

    [Fact]
    public void ToString_TellsNothingThatWasSaid() =>
        Assert.DoesNotContain("secret", Event("text_delta", """{"delta":"secret"}""").ToString(), StringComparison.Ordinal);

    private static AshEvent Event(string name, string data) => new(name, Encoding.UTF8.GetBytes(data));
}
