using System.Buffers;
using System.Globalization;
using System.Text;
using Ash.Protocol.Api;

namespace Ash.Server.Events;

/// <summary>
/// Renders rows of one session as server-sent events: a pure function of the row. Values are copied as they are written in it,
/// never encoded anew. Keeps its buffers from row to row; not thread-safe.
/// </summary>
internal sealed class FrameRenderer(Guid session)
{
    /// <summary>Frames before the <c>message</c> of one line; what a line has beyond them is in its <c>message</c> only.</summary>
    internal const int MaxGranularFrames = 1000;

    private static readonly byte[][] LineMembers =
        CliLine.Names("type", "subtype", "status", "event", "message", "tool_use_result", "num_turns", "result");

    private static readonly byte[][] StreamEventMembers = CliLine.Names("type", "delta");
    private static readonly byte[][] DeltaMembers = CliLine.Names("type", "text", "thinking");
    private static readonly byte[][] BlockMembers = CliLine.Names("type", "id", "name", "input", "thinking");
    private static readonly byte[][] StartedMembers = CliLine.Names("version");
    private static readonly byte[][] CompletedMembers = CliLine.Names("reason", "error", "code", "retryable");

    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);
    private readonly byte[] _sessionId = Encoding.ASCII.GetBytes(session.ToString());
    private readonly RowFrames _frames = new();

    /// <summary>Writes the frames of a row, but for the first <paramref name="skip"/>.</summary>
    /// <returns>How many frames the row has.</returns>
    public int Render(in EventRow row, IBufferWriter<byte> output, int skip = 0)
    {
        Plan(row).CopyTo(output, skip);
        return _frames.Count;
    }

    /// <summary>Works out the frames of a row. They hold its payload until the next call, or <see cref="RowFrames.Release"/>.</summary>
    public RowFrames Plan(in EventRow row)
    {
        var payload = OnOneLine(row.Payload);
        _frames.Start(row.Seq, payload);
        switch (row.Type)
        {
            case EventType.Cli:
                PlanLine(payload.Span);
                break;
            case EventType.TurnStarted:
                PlanTurnStarted(payload.Span);
                break;
            case EventType.TurnCompleted:
                PlanTurnCompleted(row, payload.Span);
                break;
            default:
                PlanLifecycle(row, payload.Span);
                break;
        }

        return _frames;
    }

    private void PlanLine(ReadOnlySpan<byte> line)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[8];
        if (Json.TryFind(line, JsonSlice.Whole(line), LineMembers, found))
        {
            var kind = CliLine.KindOf(line, found[0], found[1]);
            if (CliLine.IsPartial(line, kind, found[2]))
            {
                _frames.Flags |= EventFlags.Partial;
            }

            switch (kind)
            {
                case CliLineKind.StreamEvent:
                    PlanStreamEvent(line, found[3]);
                    break;
                case CliLineKind.Assistant:
                    PlanBlocks(line, found[4]);
                    break;
                case CliLineKind.User:
                    PlanToolResult(line, found[4], found[5]);
                    break;
                case CliLineKind.Result:
                    _frames.BeginFrame("turn_complete"u8);
                    _frames.BeginObject();
                    _frames.AddMember("numTurns"u8, found[6]);
                    _frames.AddMember("result"u8, found[7]);
                    _frames.EndObject();
                    _frames.EndFrame(isLast: false);
                    break;
            }
        }

        _frames.BeginFrame("message"u8);
        _frames.AddPayload(0, line.Length);
        _frames.EndFrame(isLast: true);
    }

    private void PlanStreamEvent(ReadOnlySpan<byte> line, JsonSlice streamEvent)
    {
        Span<JsonSlice> inner = stackalloc JsonSlice[2];
        if (!streamEvent.IsObject
            || !Json.TryFind(line, streamEvent, StreamEventMembers, inner)
            || !Json.TextEquals(line, inner[0], "content_block_delta"u8)
            || inner[1] is not { IsObject: true } delta)
        {
            return;
        }

        Span<JsonSlice> found = stackalloc JsonSlice[3];
        Json.TryFind(line, delta, DeltaMembers, found);
        if (Json.TextEquals(line, found[0], "text_delta"u8))
        {
            PlanDelta("text_delta"u8, found[1]);
        }
        else if (Json.TextEquals(line, found[0], "thinking_delta"u8))
        {
            PlanDelta("thinking_delta"u8, found[2]);
        }
        else
        {
            PlanUnknown(line, found[0], delta);
        }
    }

    private void PlanBlocks(ReadOnlySpan<byte> line, JsonSlice message)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[5];
        foreach (var block in CliContent.BlocksOf(line, message))
        {
            if (!block.IsObject || _frames.Count == MaxGranularFrames)
            {
                continue;
            }

            Json.TryFind(line, block, BlockMembers, found);
            if (Json.TextEquals(line, found[0], "text"u8))
            {
                continue;
            }

            if (Json.TextEquals(line, found[0], "tool_use"u8))
            {
                _frames.BeginFrame("tool_use"u8);
                _frames.BeginObject();
                _frames.AddMember("id"u8, found[1]);
                _frames.AddMember("name"u8, found[2]);
                _frames.AddMember("input"u8, found[3]);
                _frames.EndObject();
                _frames.EndFrame(isLast: false);
            }
            else if (Json.TextEquals(line, found[0], "thinking"u8))
            {
                PlanDelta("thinking_delta"u8, found[4]);
            }
            else
            {
                PlanUnknown(line, found[0], block);
            }
        }
    }

    private void PlanToolResult(ReadOnlySpan<byte> line, JsonSlice message, JsonSlice structured)
    {
        if (!ToolResult.TryFind(line, message, structured, out var result))
        {
            return;
        }

        _frames.BeginFrame("tool_result"u8);
        _frames.BeginObject();
        _frames.AddMember("tool_use_id"u8, result.ToolUseId);
        _frames.AddMember("content"u8, result.Stdout.HasValue ? result.Stdout : result.Content);
        _frames.AddMember("is_error"u8, result.IsError);
        _frames.EndObject();
        _frames.EndFrame(isLast: false);
    }

    private void PlanDelta(ReadOnlySpan<byte> name, JsonSlice text)
    {
        if (text.IsString)
        {
            _frames.BeginFrame(name);
            _frames.BeginObject();
            _frames.AddMember("delta"u8, text);
            _frames.EndObject();
            _frames.EndFrame(isLast: false);
        }
    }

    private void PlanUnknown(ReadOnlySpan<byte> line, JsonSlice type, JsonSlice value)
    {
        if (type.IsString && EventNames.MayPass(type.Inner.In(line)))
        {
            _frames.BeginFrame(type.Inner.In(line));
            _frames.AddPayload(value);
            _frames.EndFrame(isLast: false);
        }
    }

    private void PlanTurnStarted(ReadOnlySpan<byte> payload)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[1];
        Json.TryFind(payload, JsonSlice.Whole(payload), StartedMembers, found);
        _frames.BeginFrame("session_start"u8);
        _frames.BeginObject();
        _frames.AddMember("sessionId"u8, _sessionId);
        _frames.AddMember("version"u8, found[0]);
        _frames.EndObject();
        _frames.EndFrame(isLast: true);
    }

    private void PlanTurnCompleted(in EventRow row, ReadOnlySpan<byte> payload)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[4];
        Json.TryFind(payload, JsonSlice.Whole(payload), CompletedMembers, found);
        _frames.Flags |= EventFlags.TurnEnd;
        if (found[1].HasValue)
        {
            _frames.BeginFrame("error"u8);
            _frames.BeginObject();
            _frames.AddMember("error"u8, found[1]);
            _frames.AddMember("reason"u8, found[0]);
            _frames.AddMember("code"u8, found[2]);
            _frames.AddMember("retryable"u8, found[3]);
            _frames.EndObject();
            _frames.EndFrame(isLast: false);
        }

        _frames.BeginFrame("done"u8);
        _frames.BeginObject();
        _frames.AddMember("sessionId"u8, _sessionId);
        AddTurn(row.TurnId);
        _frames.AddMember("reason"u8, found[0]);
        _frames.EndObject();
        _frames.EndFrame(isLast: true);
    }

    private void PlanLifecycle(in EventRow row, ReadOnlySpan<byte> payload)
    {
        Span<byte> text = stackalloc byte[40];
        _frames.Flags |= EventFlags.Lifecycle;
        _frames.BeginFrame("lifecycle"u8);
        _frames.BeginObject();
        _frames.AddMember("type"u8, row.Type.Utf8Name);
        row.Seq.TryFormat(text, out var length, default, CultureInfo.InvariantCulture);
        _frames.AddMember("seq"u8, text[..length], isText: false);
        row.At.UtcDateTime.TryFormat(text, out length, TimestampConverter.Format, CultureInfo.InvariantCulture);
        _frames.AddMember("at"u8, text[..length]);
        AddTurn(row.TurnId);
        _frames.AddMembers(payload);
        _frames.EndObject();
        _frames.EndFrame(isLast: true);
    }

    private void AddTurn(Guid? turnId)
    {
        if (turnId is { } id)
        {
            Span<byte> text = stackalloc byte[36];
            id.TryFormat(text, out _);
            _frames.AddMember("turnId"u8, text);
        }
    }

    // A client's content may hold line ends between its tokens; inside strings JSON has none.
    private static ReadOnlyMemory<byte> OnOneLine(ReadOnlyMemory<byte> payload)
    {
        if (payload.Span.IndexOfAny((byte)'\r', (byte)'\n') < 0)
        {
            return payload;
        }

        var copy = payload.ToArray();
        copy.AsSpan().ReplaceAny(LineEnds, (byte)' ');
        return copy;
    }
}
