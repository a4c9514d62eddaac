using System.Text;
using Ash.Server.Events;

namespace Ash.Server.Tests.Events;

/// <summary>Rows as the owner of a session appends them.</summary>
internal static class Rows
{
    public static readonly Guid Session = Guid.Parse("0197f0aa-0000-7000-8000-000000000001");
    public static readonly Guid Turn = Guid.Parse("0197f0aa-0000-7000-8000-0000000000aa");
    public static readonly Guid OtherTurn = Guid.Parse("0197f0aa-0000-7000-8000-0000000000bb");
    public static readonly DateTimeOffset At = new(2026, 1, 15, 10, 0, 0, 123, TimeSpan.Zero);

    public const string TextDelta =
        """{"type":"stream_event","event":{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"hi"}},"uuid":"u"}""";

    public static EventRow Row(long seq, EventType type, string payload, Guid? turn = null) =>
        new(seq, turn, type, At, Encoding.UTF8.GetBytes(payload));

    public static EventRow Cli(long seq, string line, Guid? turn = null) => Row(seq, EventType.Cli, line, turn ?? Turn);

    public static string Render(EventRow row, int skip = 0)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        new FrameRenderer(Session).Render(row, output, skip);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>A turn with its message, a delta, a text and its result.</summary>
    public static EventRow[] WholeTurn(long firstSeq, Guid turn) =>
    [
        Row(firstSeq, EventType.Message, """{"content":"hi"}""", turn),
        Row(firstSeq + 1, EventType.TurnQueued, "{}", turn),
        Row(firstSeq + 2, EventType.TurnStarted, """{"version":"0.1.0"}""", turn),
        Cli(firstSeq + 3, TextDelta, turn),
        Cli(firstSeq + 4, """{"type":"assistant","message":{"content":[{"type":"text","text":"hi"}]}}""", turn),
        Cli(firstSeq + 5, """{"num_turns":1,"result":"hi","type":"result"}""", turn),
        Row(firstSeq + 6, EventType.TurnCompleted, """{"reason":"completed","retryable":false}""", turn),
    ];
}
