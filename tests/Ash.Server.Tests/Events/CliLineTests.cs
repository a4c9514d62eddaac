using System.Text;
using System.Text.Json;
using Ash.Server.Events;
using CsCheck;

namespace Ash.Server.Tests.Events;

public sealed class CliLineTests
{
    private static CliLineInfo Inspect(string line)
    {
        Assert.True(CliLine.TryInspect(Encoding.UTF8.GetBytes(line), out var info));
        return info;
    }

    private static string Text(string line, JsonSlice slice) => Encoding.UTF8.GetString(slice.In(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void Result_TellsHowTheTurnEnded_WhereverItsTypeStands()
    {
        const string line = """{"duration_api_ms":77,"usage":{"input_tokens":5},"terminal_reason":"api_error","is_error":true,"num_turns":2,"subtype":"success","api_error_status":403,"api_error_type":"permission_error","result":"…403","queued_turn_count":1,"user_message_uuid":"00000000-0000-4000-8000-000000000001","user_message_uuids":["00000000-0000-4000-8000-000000000001","00000000-0000-4000-8000-000000000002"],"type":"result"}""";
        var info = Inspect(line);

        Assert.Equal(CliLineKind.Result, info.Kind);
        Assert.True(info.IsStored);
        Assert.False(info.IsPartial);
        Assert.True(info.IsError);
        Assert.Equal(("success", "api_error", 1), (info.Subtype, info.TerminalReason, info.QueuedTurnCount));
        Assert.Equal("permission_error", info.ApiErrorType);
        Assert.Equal("\"…403\"", Text(line, info.Result));
        Assert.Equal("""{"input_tokens":5}""", Text(line, info.Usage));
        Assert.Equal(
            ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"],
            info.UserMessageUuids.Select(uuid => uuid.ToString()));
    }

    [Fact]
    public void ResultThatAnswersNobody_HasNoUuids() =>
        Assert.Empty(Inspect("""{"type":"result","user_message_uuids":[7,"x",null],"user_message_uuid":"no"}""").UserMessageUuids);

    [Fact]
    public void Init_IsKnown_AndStored()
    {
        var info = Inspect("""{"type":"system","subtype":"init","session_id":"s"}""");

        Assert.Equal((CliLineKind.Init, "init", true), (info.Kind, info.Subtype, info.IsStored));
    }

    [Theory]
    [InlineData("""{"type":"stream_event","event":{}}""", true)]
    [InlineData("""{"type":"system","subtype":"status","status":"requesting"}""", true)]
    [InlineData("""{"type":"system","subtype":"status","status":"compacting"}""", false)]
    [InlineData("""{"type":"system","subtype":"status","status":null}""", false)]
    [InlineData("""{"type":"other","subtype":"status","status":"requesting"}""", false)]
    [InlineData("""{"type":"assistant"}""", false)]
    public void PartialLines_AreThoseThatPartialMessagesBring(string line, bool isPartial)
    {
        Assert.Equal(isPartial, Inspect(line).IsPartial);
        Assert.True(Inspect(line).IsStored);
    }

    [Theory]
    [InlineData("""{"type":"control_request","request_id":"r","request":{}}""")]
    [InlineData("""{"type":"control_response","response":{}}""")]
    [InlineData("""{"type":"control_cancel_request","request_id":"r"}""")]
    [InlineData("""{"type":"keep_alive"}""")]
    [InlineData("""{"type":"command_lifecycle"}""")]
    [InlineData("""{"type":"system","subtype":"session_state_changed","state":"idle"}""")]
    public void LinesThatAreNoPartOfTheConversation_AreNotStored(string line) => Assert.False(Inspect(line).IsStored);

    [Fact]
    public void ControlRequest_TellsWhatIsAsked()
    {
        var info = Inspect("""{"type":"control_request","request_id":"r1","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"a":1}}}""");

        Assert.Equal(
            (CliLineKind.ControlRequest, "r1", "can_use_tool", "Bash"), (info.Kind, info.RequestId, info.Subtype, info.ToolName));
    }

    [Fact]
    public void ControlResponse_TellsWhatItAnswers()
    {
        var info = Inspect("""{"type":"control_response","response":{"subtype":"error","request_id":"r2","error":"no"}}""");

        Assert.Equal(
            (CliLineKind.ControlResponse, "r2", "error", "no"), (info.Kind, info.RequestId, info.Subtype, info.Error));
    }

    [Fact]
    public void StateLines_TellTheState()
    {
        var changed = Inspect("""{"type":"system","subtype":"session_state_changed","state":"idle"}""");
        var lifecycle = Inspect("""{"type":"command_lifecycle","command_uuid":"00000000-0000-4000-8000-000000000001","state":"started"}""");

        Assert.Equal((CliLineKind.SessionStateChanged, "idle"), (changed.Kind, changed.State));
        Assert.Equal((CliLineKind.CommandLifecycle, "started"), (lifecycle.Kind, lifecycle.State));
        Assert.Equal(Guid.Parse("00000000-0000-4000-8000-000000000001"), lifecycle.CommandUuid);
    }

    [Fact]
    public void AssistantLine_TellsTheError_AndTheInnerOnesDoNotCount()
    {
        Assert.Equal("rate_limit", Inspect("""{"type":"assistant","message":{"error":"inner"},"error":"rate_limit"}""").Error);
        Assert.Null(Inspect("""{"type":"assistant","message":{"error":"inner"}}""").Error);
    }

    [Fact]
    public void ConversationReset_TellsTheNewId() =>
        Assert.Equal("c2", Inspect("""{"type":"conversation_reset","new_conversation_id":"c2"}""").NewConversationId);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"type\"")]
    [InlineData("{")]
    [InlineData("{}{}")]
    [InlineData("{} x")]
    [InlineData("{\"type\":\"result\",}")]
    [InlineData("{\"type\":'result'}")]
    [InlineData("{\"a\":01}")]
    [InlineData("{\"a\":NaN}")]
    [InlineData("{\"a\":\"\\x\"}")]
    [InlineData("{\"a\":\"\u0001\"}")]
    [InlineData("/**/{}")]
    [InlineData("\uFEFF{}")]
    [InlineData("{\"a\":\n1}")]
    [InlineData("{\"a\":\r1}")]
    [InlineData("{}\n")]
    public void WhatIsNotOneObjectOnOneLine_IsRefused(string line) =>
        Assert.False(CliLine.TryInspect(Encoding.UTF8.GetBytes(line), out _));

    [Fact]
    public void BytesThatAreNoUtf8_AreRefused()
    {
        Assert.False(CliLine.TryInspect([.. "{\"a\":\""u8, 0xff, .. "\"}"u8], out _));
        Assert.False(CliLine.TryInspect([.. "{\"a\":\""u8, 0xed, 0xa0, 0x80, .. "\"}"u8], out _));
    }

    [Theory]
    [InlineData(Json.MaxDepth - 1, true)]
    [InlineData(Json.MaxDepth, false)]
    [InlineData(10_000_000, false)]
    public void Nesting_IsBounded(int depth, bool isValid)
    {
        var line = "{\"a\":" + new string('[', depth) + new string(']', depth) + "}";

        Assert.Equal(isValid, CliLine.TryInspect(Encoding.UTF8.GetBytes(line), out _));
    }

    [Fact]
    public void LongestLine_IsReadInOnePass()
    {
        var line = new byte[64 * 1024 * 1024];
        line.AsSpan().Fill((byte)'x');
        "{\"type\":\"assistant\",\"error\":\""u8.CopyTo(line);
        "\"}"u8.CopyTo(line.AsSpan(line.Length - 2));

        Assert.True(CliLine.TryInspect(line, out var info));
        Assert.Equal(CliLineKind.Assistant, info.Kind);
        Assert.Null(info.Error); // Longer than any that the runtime could want.
    }

    [Fact]
    public void MillionsOfMembers_CostNoExceptionsAndNoMemory()
    {
        var member = "\"typ\\ud800\":1,"u8;
        var line = new byte[1 + member.Length * 1_000_000 + "\"type\":\"result\"}"u8.Length];
        line[0] = (byte)'{';
        for (var index = 0; index < 1_000_000; index++)
        {
            member.CopyTo(line.AsSpan(1 + index * member.Length));
        }

        "\"type\":\"result\"}"u8.CopyTo(line.AsSpan(line.Length - "\"type\":\"result\"}"u8.Length));
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.True(CliLine.TryInspect(line, out var info));
        Assert.Equal(CliLineKind.Result, info.Kind);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 10_000);
    }

    [Fact]
    public void LastOfTwoMembers_Counts() =>
        Assert.Equal(CliLineKind.KeepAlive, Inspect("""{"type":"result","\u0074ype":"keep\u005falive"}""").Kind);

    [Fact]
    public void TextThatIsNoUnicode_IsNoText() =>
        Assert.Null(Inspect("""{"type":"assistant","error":"\ud800"}""").Error);

    [Fact]
    public void Delta_IsInspectedWithoutAllocation()
    {
        var line = Encoding.UTF8.GetBytes(Rows.TextDelta);
        CliLine.TryInspect(line, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        CliLine.TryInspect(line, out _);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Inspection_AgreesWithAParserThatBuildsATree()
    {
        var names = Gen.OneOf<string>(
            "type", "subtype", "status", "state", "error", "is_error", "queued_turn_count", "result", "usage", "request_id", "a",
            "t\\u0079pe", "sub\\u0074ype", "\\\"", "é");
        var texts = Gen.OneOf<string>(
            "\"result\"", "\"system\"", "\"assistant\"", "\"status\"", "\"requesting\"", "\"init\"", "\"stream_event\"",
            "\"re\\u0073ult\"", "\"session_state_changed\"", "\"é\\n\"", "\"\"", "1", "-2.5e3", "99999999999", "true", "false", "null");
        var values = Gen.Recursive<string>((depth, self) =>
            depth > 3
                ? texts
                : Gen.Frequency(
                    (6, texts),
                    (1, self.Array[0, 3].Select(items => $"[{string.Join(" , ", items)}]")),
                    (1, Gen.Select(names, self).Array[0, 3].Select(ObjectOf))));
        var lines = Gen.Select(names, values).Array[0, 8].Select(ObjectOf);

        Gen.Select(lines, Gen.Int[0, 40], Gen.Bool).Sample((whole, at, cut) =>
        {
            var line = cut && at < whole.Length ? whole.Remove(at, 1) : whole;
            Assert.Equal(Oracle(line), Seen(line));
        }, iter: 20_000);
    }

    private static string ObjectOf((string Name, string Value)[] members) =>
        $"{{{string.Join(",", members.Select(member => $"\"{member.Name}\": {member.Value}"))}}}";

    private static (string, bool, string?, string?, bool, int?, string?) Seen(string line)
    {
        if (!CliLine.TryInspect(Encoding.UTF8.GetBytes(line), out var info))
        {
            return default;
        }

        return (
            info.Kind.ToString(), info.IsPartial, info.Subtype, info.Error, info.IsError, info.QueuedTurnCount,
            info.Result.Exists ? Text(line, info.Result) : null);
    }

    private static (string, bool, string?, string?, bool, int?, string?) Oracle(string line)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(line);
        }
        catch (JsonException)
        {
            return default;
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return default;
            }

            var type = TextOf(root, "type");
            var subtype = TextOf(root, "subtype");
            var kind = type switch
            {
                "result" => "Result",
                "assistant" => "Assistant",
                "stream_event" => "StreamEvent",
                "system" => subtype switch
                {
                    "init" => "Init",
                    "status" => "Status",
                    "session_state_changed" => "SessionStateChanged",
                    _ => "System",
                },
                _ => "Other",
            };
            var isResult = kind == "Result";
            return (
                kind,
                kind == "StreamEvent" || (kind == "Status" && TextOf(root, "status") == "requesting"),
                isResult || type == "system" ? subtype : null,
                kind == "Assistant" ? TextOf(root, "error") : null,
                isResult && root.TryGetProperty("is_error", out var isError) && isError.ValueKind == JsonValueKind.True,
                isResult && root.TryGetProperty("queued_turn_count", out var turns) && turns.ValueKind == JsonValueKind.Number
                    && turns.TryGetInt32(out var number)
                        ? number
                        : null,
                isResult && root.TryGetProperty("result", out var result) ? result.GetRawText() : null);
        }
    }

    private static string? TextOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
