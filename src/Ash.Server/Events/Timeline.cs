namespace Ash.Server.Events;

/// <summary>The timeline of a session: what contract 1.5 says that happened, derived from the rows of the log.</summary>
/// <remarks>
/// The contract's types are all there are. Ash's facts that it does not know are <c>lifecycle</c> with their own name as
/// <c>action</c>; a client's message is no fact of Ash, it stands in the history.
/// </remarks>
internal sealed class Timeline(Guid session)
{
    private static readonly byte[][] LineMembers =
        CliLine.Names("type", "subtype", "message", "tool_use_result", "num_turns", "result");

    private static readonly byte[][] BlockMembers = CliLine.Names("type", "text", "id", "name", "input", "thinking");
    private static readonly byte[][] FactMembers = CliLine.Names("error", "parentSessionId");

    /// <summary>Adds the entries of a row to <paramref name="entries"/>, in order.</summary>
    public void Read(in EventRow row, ICollection<LogItem> entries)
    {
        var _payload = row.Payload.Span;
        var entriesOfRow = new Entries(session, row, entries);
        switch (row.Type)
        {
            case EventType.Message:
                break;
            case EventType.Cli:
                ReadLine(_payload, ref entriesOfRow);
                break;
            default:
                ReadFact(row.Type, _payload, ref entriesOfRow);
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
                    entries.Begin()
                        .AddMember("toolName", result.ToolName)
                        .AddMember("toolId", result.ToolUseId)
                        .AddMember("stdout", result.Stdout.HasValue ? result.Stdout : result.Content, orElse: "\"\"")
                        .AddMember("stderr", result.Stderr, orElse: "\"\""));
                break;
            case CliLineKind.Result:
                entries.Add(
                    "turn_complete",
                    entries.Begin().AddMember("numTurns", found[4]).AddMember("result", found[5]));
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
                entries.Add("text", entries.Begin().AddMember("text", found[1]));
            }
            else if (Json.TextEquals(line, found[0], "tool_use"u8))
            {
                entries.Add(
                    "tool_start",
                    entries.Begin()
                        .AddMember("toolName", found[3])
                        .AddMember("toolId", found[2])
                        .AddMember("input", found[4]));
            }
            else if (Json.TextEquals(line, found[0], "thinking"u8))
            {
                entries.Add("reasoning", entries.Begin().AddMember("thinking", found[5]));
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
            entries.Add("error", entries.Begin().AddMember("error", found[0]));
        }

        if (type != EventType.Error)
        {
            entries.Add("lifecycle", entries.Begin().AddMember("action", ActionOf(type, isFork: found[1].HasValue)).AddMembers());
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

    private ref struct Entries(Guid session, in EventRow row, ICollection<LogItem> entries)
    {
        private readonly long _seq = row.Seq;
        private readonly DateTimeOffset _at = row.At;
        private readonly ReadOnlyMemory<byte> _payload = row.Payload;

        public int Count { get; private set; }

        /// <summary>Of an entry that <see cref="Add"/> takes.</summary>
        public readonly JsonPieces Begin() => new JsonPieces(_payload).BeginObject();

        public void Add(string type, JsonPieces data) =>
            entries.Add(new LogItem(Uuid5.OfRow(session, _seq, ++Count), type, data.EndObject(), _seq, _at));
    }
}
