using System.Text;
using Ash.Protocol.Api;

namespace Ash.Server.Events;

/// <summary>The timeline of a session: what contract 1.5 says that happened, derived from the rows of the log.</summary>
/// <remarks>
/// The contract's types are all there are. Ash's facts that it does not know are <c>lifecycle</c> with their own name as
/// <c>action</c>; a client's message is no fact of Ash, it stands in the history.
/// </remarks>
internal sealed class Timeline(Guid session, string tenantId)
{
    private static readonly byte[][] LineMembers =
        CliLine.Names("type", "subtype", "message", "tool_use_result", "num_turns", "result");

    private static readonly byte[][] BlockMembers = CliLine.Names("type", "text", "id", "name", "input", "thinking");
    private static readonly byte[][] FactMembers = CliLine.Names("error", "parentSessionId");

    /// <summary>Adds the entries of a row to <paramref name="entries"/>, in order.</summary>
    public void Read(in EventRow row, ICollection<SessionEventInfo> entries)
    {
        var payload = row.Payload.Span;
        var entriesOfRow = new Entries(this, row, entries);
        switch (row.Type)
        {
            case EventType.Message:
                break;
            case EventType.Cli:
                ReadLine(payload, ref entriesOfRow);
                break;
            default:
                ReadFact(row.Type, payload, ref entriesOfRow);
                break;
        }
    }

    private static void ReadLine(ReadOnlySpan<byte> line, ref Entries entries)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[6];
        if (!Json.TryFind(line, JsonSlice.Whole(line), LineMembers, found))
        {
            return;
        }

        switch (CliLine.KindOf(line, found[0], found[1]))
        {
            case CliLineKind.Assistant:
                ReadBlocks(line, found[2], ref entries);
                break;
            case CliLineKind.User when ToolResult.TryFind(line, found[2], found[3], out var result):
                entries.Add(
                    "tool_result",
                    new JsonText()
                        .Add("toolName", line, result.ToolName)
                        .Add("toolId", line, result.ToolUseId)
                        .Add("stdout", line, result.Stdout.HasValue ? result.Stdout : result.Content, orElse: "\"\"")
                        .Add("stderr", line, result.Stderr, orElse: "\"\""));
                break;
            case CliLineKind.Result:
                entries.Add(
                    "turn_complete",
                    new JsonText().Add("numTurns", line, found[4]).Add("result", line, found[5]));
                break;
        }
    }

    private static void ReadBlocks(ReadOnlySpan<byte> line, JsonSlice message, ref Entries entries)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[6];
        foreach (var block in CliContent.BlocksOf(line, message))
        {
            if (!block.IsObject || entries.Count == FrameRenderer.MaxGranularFrames)
            {
                continue;
            }

            Json.TryFind(line, block, BlockMembers, found);
            if (Json.TextEquals(line, found[0], "text"u8))
            {
                entries.Add("text", new JsonText().Add("text", line, found[1]));
            }
            else if (Json.TextEquals(line, found[0], "tool_use"u8))
            {
                entries.Add(
                    "tool_start",
                    new JsonText()
                        .Add("toolName", line, found[3])
                        .Add("toolId", line, found[2])
                        .Add("input", line, found[4]));
            }
            else if (Json.TextEquals(line, found[0], "thinking"u8))
            {
                entries.Add("reasoning", new JsonText().Add("thinking", line, found[5]));
            }
        }
    }

    private static void ReadFact(EventType type, ReadOnlySpan<byte> payload, ref Entries entries)
    {
        Span<JsonSlice> found = stackalloc JsonSlice[2];
        if (!payload.IsEmpty)
        {
            Json.TryFind(payload, JsonSlice.Whole(payload), FactMembers, found);
        }

        if (type is EventType.Error or EventType.TurnCompleted && found[0].HasValue)
        {
            entries.Add("error", new JsonText().Add("error", payload, found[0]));
        }

        if (type != EventType.Error)
        {
            entries.Add("lifecycle", new JsonText().Add("action", ActionOf(type, isFork: found[1].HasValue)).AddMembers(payload));
        }
    }

    private static string ActionOf(EventType type, bool isFork) => type switch
    {
        EventType.SessionCreated => isFork ? "forked" : "created",
        EventType.SessionPaused => "paused",
        EventType.SessionWoken => "resumed",
        EventType.SessionStopped => "stopped",
        EventType.SessionEnded => "ended",
        _ => type.Name,
    };

    private ref struct Entries(Timeline timeline, in EventRow row, ICollection<SessionEventInfo> entries)
    {
        private readonly long seq = row.Seq;
        private readonly DateTimeOffset at = row.At;

        public int Count { get; private set; }

        public void Add(string type, JsonText data)
        {
            entries.Add(timeline.Entry(type, data.ToString(), seq, ++Count, at));
        }
    }

    private SessionEventInfo Entry(string type, string data, long seq, int index, DateTimeOffset at) => new()
    {
        Id = Uuid5.OfRow(session, seq, index),
        SessionId = session,
        TenantId = tenantId,
        Type = type,
        Data = data,
        Sequence = seq,
        CreatedAt = at,
    };

    /// <summary>Puts an object together from values as they are written elsewhere.</summary>
    private sealed class JsonText
    {
        private readonly StringBuilder text = new("{");

        public JsonText Add(string name, ReadOnlySpan<byte> json, JsonSlice value, string? orElse = null)
        {
            if (value.HasValue || (value.Exists && orElse is null))
            {
                AddName(name).Append(Encoding.UTF8.GetString(value.In(json)));
            }
            else if (orElse is not null)
            {
                AddName(name).Append(orElse);
            }

            return this;
        }

        public JsonText Add(string name, string plainText)
        {
            AddName(name).Append('"').Append(plainText).Append('"');
            return this;
        }

        public JsonText AddMembers(ReadOnlySpan<byte> payload)
        {
            var start = payload.IndexOf((byte)'{') + 1;
            var end = payload.LastIndexOf((byte)'}');
            if (start > 0 && end >= start && payload[start..end].ContainsAnyExcept(" \t\r\n"u8))
            {
                text.Append(',').Append(Encoding.UTF8.GetString(payload[start..end]));
            }

            return this;
        }

        public override string ToString() => text.Append('}').ToString();

        private StringBuilder AddName(string name) =>
            text.Append(text.Length > 1 ? "," : "").Append('"').Append(name).Append("\":");
    }
}
