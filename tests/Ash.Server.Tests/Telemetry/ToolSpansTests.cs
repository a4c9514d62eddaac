using System.Diagnostics;
using System.Text;
using Ash.Server.Telemetry;

namespace Ash.Server.Tests.Telemetry;

/// <summary>Spans of tools, from what an agent's process says: an attacker's lines.</summary>
public sealed class ToolSpansTests
{
    private static readonly ActivityContext Turn = new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);

    [Fact]
    public void Tool_LastsFromItsCallToItsResult()
    {
        using var traces = new ServerTraces(TimeProvider.System);
        using var spans = new SpanWatcher(traces);
        var tools = new ToolSpans(Turn, traces);

        tools.Read(Use(("t1", "Bash"), ("t2", "Read")));
        Assert.Empty(spans.Seen);
        tools.Read(Result("t2", isError: true));
        tools.Read(Result("t1", isError: false));

        Assert.Equal(
            [("execute_tool Read", "t2", ActivityStatusCode.Error), ("execute_tool Bash", "t1", ActivityStatusCode.Unset)],
            spans.Seen.Select(static span => (span.DisplayName, (string)span.GetTagItem("gen_ai.tool.call.id")!, span.Status))); // Each has one.
        Assert.All(spans.Seen, static span => Assert.Equal(Turn.SpanId, span.ParentSpanId));
    }

    [Fact]
    public void WhatIsOpen_EndsWithTheTurn()
    {
        using var traces = new ServerTraces(TimeProvider.System);
        using var spans = new SpanWatcher(traces);
        var tools = new ToolSpans(Turn, traces);
        tools.Read(Use(("t1", "Bash")));

        tools.End();
        tools.End();

        Assert.Equal("execute_tool Bash", Assert.Single(spans.Seen).DisplayName);
    }

    [Fact]
    public void ThereAreSoManyAndNoMore()
    {
        using var traces = new ServerTraces(TimeProvider.System);
        using var spans = new SpanWatcher(traces);
        var tools = new ToolSpans(Turn, traces);

        for (var i = 0; i < ToolSpans.MaxSpans + 10; i++)
        {
            tools.Read(Use(($"t{i}", "Bash")));
        }

        tools.End();
        Assert.Equal(ToolSpans.MaxSpans, spans.Seen.Count);
    }

    [Theory]
    [InlineData("""{"message":{"content":[{"type":"tool_use","id":"t1","name":"no name, but a text"}]}}""")]
    [InlineData("""{"message":{"content":[{"type":"tool_use","id":"t1"}]}}""")]
    [InlineData("""{"message":{"content":[{"type":"tool_use","id":1,"name":{}}]}}""")]
    [InlineData("""{"message":{"content":[{"type":"tool_use","id":"\ud800","name":"Bash"}]}}""")]
    [InlineData("""{"message":{"content":"tool_use"}}""")]
    [InlineData("""{"message":{"content":[1,null,[]]}}""")]
    [InlineData("""{"message":null}""")]
    [InlineData("""{}""")]
    [InlineData("""[]""")]
    [InlineData("""{"message":""")]
    public void WhatIsNoCall_MakesNoSpan(string line)
    {
        using var traces = new ServerTraces(TimeProvider.System);
        using var spans = new SpanWatcher(traces);
        var tools = new ToolSpans(Turn, traces);

        tools.Read(Encoding.UTF8.GetBytes(line));
        tools.End();

        Assert.Empty(spans.Seen);
    }

    private static byte[] Use(params (string Id, string Name)[] calls)
    {
        var blocks = calls.Select(static call => $$"""{"type":"tool_use","id":"{{call.Id}}","name":"{{call.Name}}","input":1}""");
        return Encoding.UTF8.GetBytes("""{"type":"assistant","message":{"content":[BLOCKS]}}""".Replace("BLOCKS", string.Join(',', blocks), StringComparison.Ordinal));
    }

    private static byte[] Result(string id, bool isError) => Encoding.UTF8.GetBytes($$$"""
        {"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"{{{id}}}","content":"x","is_error":{{{(isError ? "true" : "false")}}}}]}}
        """);
}
