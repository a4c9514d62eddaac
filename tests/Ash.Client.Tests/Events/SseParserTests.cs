using System.Text;
using Ash.Client.Events;
using CsCheck;

namespace Ash.Client.Tests.Events;

public sealed class SseParserTests
{
    [Fact]
    public void Event_HasNameDataAndId()
    {
        var read = Assert.Single(Parse("id: 7.1\nevent: text_delta\ndata: {\"delta\":\"é\"}\n\n"));

        Assert.Equal(("text_delta", "7.1", "{\"delta\":\"é\"}", true), read);
    }

    [Theory]
    [InlineData("event:done\ndata:x\n\n")]
    [InlineData("event: done\r\ndata: x\r\n\r\n")]
    [InlineData("event: done\rdata: x\r\r")]
    [InlineData("\uFEFFevent: done\ndata: x\n\n")]
    [InlineData(": comment\n\n:\n: more\nevent: done\n: inside\ndata: x\nunknown: y\nretry: 5\n\n")]
    public void Event_IsTheSame_HoweverItIsWritten(string text)
    {
        Assert.Equal([("done", null, "x", false)], Parse(text));
    }

    [Fact]
    public void DataLines_AreJoinedByLineFeeds()
    {
        Assert.Equal("a\n\n b", Assert.Single(Parse("data: a\r\ndata\r\ndata:  b\r\n\r\n")).Data);
    }

    [Fact]
    public void Id_StaysInEffect_UntilAnotherIsGiven()
    {
        var read = Parse("id: 1\ndata: a\n\ndata: b\n\nid: 2\n\ndata: c\n\nid\ndata: d\n\nid: bad\0\ndata: e\n\n");

        Assert.Equal(["1", "1", "2", null, null], read.Select(e => e.Id));
        Assert.Equal([true, false, false, true, false], read.Select(e => e.HasOwnId));
    }

    [Fact]
    public void EventWithoutData_IsNone()
    {
        Assert.Empty(Parse("event: done\n\nid: 4\n\n\n\n"));
    }

    [Fact]
    public void EventWithoutItsEnd_IsNeverGivenOut()
    {
        Assert.Equal(["a"], Parse("data: a\n\nevent: done\ndata: b\n").Select(e => e.Data));
    }

    [Fact]
    public void Buffer_DoesNotGrow_WhileOnlyCommentsCome()
    {
        var parser = new SseParser();
        var largest = 0;

        for (var i = 0; i < 100_000; i++)
        {
            Push(parser, ": keep-alive\n"u8);
            Assert.False(parser.TryRead(out _, out _));
            largest = Math.Max(largest, parser.GetMemory().Length);
        }

        Assert.InRange(largest, 1, 16 * 1024);
    }

    [Fact]
    public void EventLongerThanAllowed_IsRefused()
    {
        var parser = new SseParser(maxEventBytes: 10_000);
        var chunk = Encoding.UTF8.GetBytes("data: " + new string('x', 1000) + "\n");

        Assert.Throws<InvalidDataException>(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                Push(parser, chunk);
                parser.TryRead(out _, out _);
            }
        });
    }

    [Fact]
    public void AnySplit_GivesTheSameEvents()
    {
        var end = Gen.OneOf("\n", "\r", "\r\n");
        var value = Gen.OneOf(
            "", " ", ":", "{\"delta\":\"hello\"}", "  two", "日本語 🦊", "data: nested", new string('x', 9_000));
        var line = Gen.Select(Gen.OneOf("data", "event", "id", "", "retry", "other"), Gen.OneOf(":", ": ", ""), value, end,
            (field, colon, text, lineEnd) => field + colon + text + lineEnd);
        var blank = Gen.Select(end, end, (first, second) => first + second);
        var stream = Gen.OneOf(line, line, line, blank).Array[0, 40].Select(string.Concat);

        Gen.Select(stream, Gen.Int[1, 64].Array[1, 20]).Sample(
            (text, sizes) =>
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                Assert.Equal(ParseByLines(text), ParseInPieces(bytes, sizes));
            },
            iter: 3_000);
    }

    /// <summary>The rules of the standard, once more and as plainly as they can be put.</summary>
    private static List<(string Name, string? Id, string Data, bool HasOwnId)> ParseByLines(string text)
    {
        var events = new List<(string, string?, string, bool)>();
        string name = "message";
        string? lastId = null;
        var data = new List<string>();
        var hasOwnId = false;
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Split('\n');

        foreach (var line in lines[..^1])
        {
            if (line.Length == 0)
            {
                if (data.Count > 0)
                {
                    events.Add((name, lastId, string.Join('\n', data), hasOwnId));
                }

                (name, hasOwnId) = ("message", false);
                data.Clear();
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..];
            value = value.StartsWith(' ') ? value[1..] : value;

            switch (field)
            {
                case "data":
                    data.Add(value);
                    break;
                case "event":
                    name = value.Length == 0 ? "message" : value;
                    break;
                case "id":
                    (lastId, hasOwnId) = (value.Length == 0 ? null : value, true);
                    break;
            }
        }

        return events;
    }

    private static List<(string Name, string? Id, string Data, bool HasOwnId)> Parse(string text) =>
        ParseInPieces(Encoding.UTF8.GetBytes(text), [int.MaxValue]);

    private static List<(string Name, string? Id, string Data, bool HasOwnId)> ParseInPieces(ReadOnlySpan<byte> bytes, int[] sizes)
    {
        var parser = new SseParser();
        var events = new List<(string, string?, string, bool)>();

        for (var i = 0; !bytes.IsEmpty; i++)
        {
            var piece = bytes[..Math.Min(bytes.Length, sizes[i % sizes.Length])];
            bytes = bytes[piece.Length..];
            Push(parser, piece);

            while (parser.TryRead(out var read, out var hasOwnId))
            {
                events.Add((read.Name, read.Id, Encoding.UTF8.GetString(read.Data.Span), hasOwnId));
            }
        }

        return events;
    }

    private static void Push(SseParser parser, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var room = parser.GetMemory();
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room.Span);
            parser.Advance(count);
            bytes = bytes[count..];
        }
    }
}
