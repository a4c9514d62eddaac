using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace Ash.Server.Events;

/// <summary>Looks into lines of the CLI. They come out of a sandbox: nothing about them is taken on trust.</summary>
internal static class CliLine
{
    private const int MaxUserMessages = 64;

    // The order is that of the constants below.
    private static readonly byte[][] Members = Names(
        "type", "subtype", "status", "state", "is_error", "terminal_reason", "user_message_uuid", "user_message_uuids",
        "queued_turn_count", "api_error_type", "result", "usage", "error", "command_uuid", "new_conversation_id", "request_id",
        "request", "response");

    private const int Type = 0, Subtype = 1, Status = 2, State = 3, IsError = 4, TerminalReason = 5, UserMessageUuid = 6,
        UserMessageUuids = 7, QueuedTurnCount = 8, ApiErrorType = 9, Result = 10, Usage = 11, Error = 12, CommandUuid = 13,
        NewConversationId = 14, RequestId = 15, Request = 16, Response = 17, Count = 18;

    private static readonly byte[][] ControlMembers = Names("subtype", "request_id", "tool_name", "error");

    private static readonly (byte[] Name, CliLineKind Kind)[] Kinds =
    [
        ("stream_event"u8.ToArray(), CliLineKind.StreamEvent),
        ("assistant"u8.ToArray(), CliLineKind.Assistant),
        ("user"u8.ToArray(), CliLineKind.User),
        ("result"u8.ToArray(), CliLineKind.Result),
        ("system"u8.ToArray(), CliLineKind.System),
        ("command_lifecycle"u8.ToArray(), CliLineKind.CommandLifecycle),
        ("control_request"u8.ToArray(), CliLineKind.ControlRequest),
        ("control_response"u8.ToArray(), CliLineKind.ControlResponse),
        ("control_cancel_request"u8.ToArray(), CliLineKind.ControlCancelRequest),
        ("keep_alive"u8.ToArray(), CliLineKind.KeepAlive),
        ("conversation_reset"u8.ToArray(), CliLineKind.ConversationReset),
    ];

    // What comes with every turn is not allocated anew.
    private static readonly (byte[] Utf8, string Text)[] CommonWords =
        [.. new[]
        {
            "init", "status", "success", "idle", "running", "requires_action", "queued", "started", "completed", "cancelled",
            "error_during_execution", "can_use_tool", "thinking_tokens", "api_retry", "session_state_changed",
        }.Select(word => (Encoding.UTF8.GetBytes(word), word))];

    /// <summary>Reads what the runtime needs from one line, given without its line end.</summary>
    /// <returns>
    /// False where it is not one well-formed JSON object in UTF-8 on one line, nested no deeper than
    /// <see cref="Json.MaxDepth"/>: nothing of it may be stored or sent.
    /// </returns>
    public static bool TryInspect(ReadOnlySpan<byte> line, out CliLineInfo info)
    {
        info = default;
        if (line.IndexOfAny((byte)'\r', (byte)'\n') >= 0 || !Utf8.IsValid(line))
        {
            return false;
        }

        Span<JsonSlice> found = stackalloc JsonSlice[Count];
        if (!Json.TryFind(line, JsonSlice.Whole(line), Members, found))
        {
            return false;
        }

        var kind = KindOf(line, found[Type], found[Subtype]);
        info = kind switch
        {
            CliLineKind.System or CliLineKind.Init => new() { Kind = kind, Subtype = Text(line, found[Subtype]), IsStored = true },
            CliLineKind.Status => new()
            {
                Kind = kind,
                Subtype = Text(line, found[Subtype]),
                IsStored = true,
                IsPartial = IsPartial(line, kind, found[Status]),
            },
            CliLineKind.SessionStateChanged => new()
            {
                Kind = kind,
                Subtype = Text(line, found[Subtype]),
                State = Text(line, found[State]),
            },
            CliLineKind.CommandLifecycle => new()
            {
                Kind = kind,
                State = Text(line, found[State]),
                CommandUuid = Uuid(line, found[CommandUuid]),
            },
            CliLineKind.Assistant => new()
            {
                Kind = kind,
                IsStored = true,
                Error = Text(line, found[Error]),
                ApiErrorType = Text(line, found[ApiErrorType]),
            },
            CliLineKind.Result => new()
            {
                Kind = kind,
                Subtype = Text(line, found[Subtype]),
                IsStored = true,
                IsError = found[IsError].IsTrue,
                TerminalReason = Text(line, found[TerminalReason]),
                AnsweredMessages = Answered(line, found[UserMessageUuid], found[UserMessageUuids]),
                QueuedTurnCount = Json.ReadNumber(line, found[QueuedTurnCount]),
                ApiErrorType = Text(line, found[ApiErrorType]),
                Result = found[Result],
                Usage = found[Usage],
            },
            CliLineKind.ConversationReset => new()
            {
                Kind = kind,
                IsStored = true,
                NewConversationId = Text(line, found[NewConversationId]),
            },
            CliLineKind.ControlRequest => Control(line, kind, found[Request], found[RequestId]),
            CliLineKind.ControlResponse => Control(line, kind, found[Response], found[RequestId]),
            CliLineKind.ControlCancelRequest => new() { Kind = kind, RequestId = Text(line, found[RequestId]) },
            CliLineKind.KeepAlive => new() { Kind = kind },
            CliLineKind.StreamEvent => new() { Kind = kind, IsStored = true, IsPartial = true },
            _ => new() { Kind = kind, IsStored = true },
        };
        return true;
    }

    /// <summary>Whether a line is there only because partial messages are on.</summary>
    internal static bool IsPartial(ReadOnlySpan<byte> line, CliLineKind kind, JsonSlice status) =>
        kind == CliLineKind.StreamEvent || (kind == CliLineKind.Status && Json.TextEquals(line, status, "requesting"u8));

    internal static CliLineKind KindOf(ReadOnlySpan<byte> line, JsonSlice type, JsonSlice subtype)
    {
        foreach (var (name, kind) in Kinds)
        {
            if (Json.TextEquals(line, type, name))
            {
                return kind == CliLineKind.System ? SystemKindOf(line, subtype) : kind;
            }
        }

        return CliLineKind.Other;
    }

    internal static byte[][] Names(params string[] names) => [.. names.Select(Encoding.UTF8.GetBytes)];

    private static CliLineKind SystemKindOf(ReadOnlySpan<byte> line, JsonSlice subtype) =>
        Json.TextEquals(line, subtype, "init"u8) ? CliLineKind.Init
        : Json.TextEquals(line, subtype, "status"u8) ? CliLineKind.Status
        : Json.TextEquals(line, subtype, "session_state_changed"u8) ? CliLineKind.SessionStateChanged
        : CliLineKind.System;

    private static CliLineInfo Control(ReadOnlySpan<byte> line, CliLineKind kind, JsonSlice body, JsonSlice outerRequestId)
    {
        Span<JsonSlice> inner = stackalloc JsonSlice[4];
        if (body.IsObject)
        {
            Json.TryFind(line, body, ControlMembers, inner);
        }

        return new()
        {
            Kind = kind,
            Subtype = Text(line, inner[0]),
            RequestId = Text(line, kind == CliLineKind.ControlRequest ? outerRequestId : inner[1]),
            ToolName = Text(line, inner[2]),
            Error = Text(line, inner[3]),
        };
    }

    private static Guid[] Answered(ReadOnlySpan<byte> line, JsonSlice one, JsonSlice many)
    {
        List<Guid> uuids = [];
        if (many.IsArray)
        {
            foreach (var element in new JsonElements(line, many))
            {
                if (uuids.Count < MaxUserMessages && Uuid(line, element) is { } uuid && !uuids.Contains(uuid))
                {
                    uuids.Add(uuid);
                }
            }
        }

        if (Uuid(line, one) is { } single && !uuids.Contains(single) && uuids.Count < MaxUserMessages)
        {
            uuids.Add(single);
        }

        return [.. uuids];
    }

    private static Guid? Uuid(ReadOnlySpan<byte> line, JsonSlice value) =>
        value is { IsString: true, Length: 38 }
        && Utf8Parser.TryParse(value.Inner.In(line), out Guid uuid, out var length)
        && length == 36
            ? uuid
            : null;

    private static string? Text(ReadOnlySpan<byte> line, JsonSlice value)
    {
        if (!value.IsString)
        {
            return null;
        }

        var inner = value.Inner.In(line);
        foreach (var (utf8, text) in CommonWords)
        {
            if (inner.SequenceEqual(utf8))
            {
                return text;
            }
        }

        return Json.ReadText(line, value);
    }
}
