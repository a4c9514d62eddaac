using System.Buffers;
using System.Text;
using Ash.Protocol.Bridge;
using CsCheck;

namespace Ash.Protocol.Tests.Bridge;

public sealed class FrameFormatTests
{
    private static readonly Gen<(BridgeEvent Header, byte[] Payload)> Events = Gen.OneOf(
        Gen.Select(Gen.Int[0, 9], Gen.Byte.Array[0, 300], (process, bytes) => ((BridgeEvent)new CliLine(process, bytes.Length), bytes)),
        Gen.Select(Gen.String, Gen.Byte.Array[0, 300], (id, bytes) => ((BridgeEvent)new ExecOutput(id, "stdout", bytes.Length), bytes)),
        Gen.Select(Gen.String, Gen.Bool, Gen.String.Null(), (id, ok, error) => ((BridgeEvent)new CommandDone(id, ok, error), Array.Empty<byte>())),
        Gen.Select(Gen.Int, Gen.Int.Nullable(), Gen.Int.Nullable(), (process, code, signal) => ((BridgeEvent)new CliExited(process, code, signal), Array.Empty<byte>())),
        Gen.Select(Gen.Long, Gen.Long, (oldest, head) => ((BridgeEvent)new Hello(1, oldest, head, 0, 0), Array.Empty<byte>())));

    [Fact]
    public void Frames_AreTheSame_HoweverTheBytesAreCut() =>
        Gen.Select(Events.Array[0, 6], Gen.Int[1, 50].Array[1, 10]).Sample((frames, cuts) =>
        {
            var written = new ArrayBufferWriter<byte>();
            foreach (var (header, payload) in frames)
            {
                FrameFormat.Write(written, header, payload);
            }

            var read = ReadInPieces(written.WrittenMemory, cuts);
            Assert.Equal(frames.Length, read.Count);
            Assert.All(frames.Zip(read), pair =>
            {
                Assert.Equal(WellFormed(pair.First.Header), pair.Second.Header);
                Assert.Equal(pair.First.Payload, pair.Second.Payload);
            });
        });

    [Fact]
    public void HostileBytes_GiveFramesOrAFrameException_AndNothingElse() =>
        Gen.OneOf(
            Gen.Byte.Array[0, 200],
            Gen.Char["{}[]\":,0123456789-eEtypelinbs_\\u\n "].Array[0, 200].Select(Encoding.ASCII.GetBytes),
            Gen.Select(Events, Gen.Int[0, 100], Gen.Byte, (frame, at, value) => Corrupted(frame, at, value)))
        .Sample(
            bytes =>
            {
                ReadAll<BridgeEvent>(bytes, FrameFormat.TryRead);
                ReadAll<BridgeCommand>(bytes, FrameFormat.TryRead);
            },
            iter: 20_000);

    /// <summary>A line's header that lies in one piece is read in a shorter way.</summary>
    [Fact]
    public void Header_SaysTheSame_InOnePieceAndInTwo() =>
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, 30], Gen.Long[0, long.MaxValue], Gen.Int[0, 60], Gen.Byte, Gen.Bool).Sample(
            (process, length, number, at, value, isCorrupted) =>
            {
                var frame = ((BridgeEvent)new CliLine(process, length) { Number = number }, new byte[length]);
                var bytes = isCorrupted ? Corrupted(frame, at, value) : Written(frame);
                var half = bytes.Length / 2;
                Assert.Equal(
                    Outcome(Joined(bytes[..half], bytes.AsMemory(half))),
                    Outcome(new ReadOnlySequence<byte>(bytes)));
            },
            iter: 20_000);

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("")]
    [InlineData("{\"type\":\"unknown\"}")]
    [InlineData("{\"type\":\"line\",\"process\":1}")]
    [InlineData("{\"type\":\"line\",\"process\":1,\"bytes\":-1}")]
    [InlineData("{\"type\":\"line\",\"process\":1,\"bytes\":67108865}")]
    [InlineData("{\"type\":\"line\",\"process\":1,\"bytes\":99999999999}")]
    [InlineData("{\"type\":\"done\",\"ok\":true}")]
    [InlineData("{\"type\":\"done\",\"id\":null,\"ok\":true}")]
    [InlineData("{\"type\":\"done\",\"id\":\"\\ud800\",\"ok\":true}")]
    [InlineData("{\"type\":\"line\",\"type\":\"done\"}")]
    public void Header_ThatIsNone_IsRefused(string header) =>
        Assert.Throws<FrameException>(() => Read(Encoding.UTF8.GetBytes(header + "\n")));

    [Fact]
    public void DeepNesting_IsRefused() =>
        Assert.Throws<FrameException>(() => Read(Encoding.UTF8.GetBytes($"{{\"type\":\"hello\",\"x\":{new string('[', 100_000)}\n")));

    [Fact]
    public void Header_BeyondTheLimit_IsRefused_BeforeItsEndHasCome()
    {
        var header = new byte[BridgeProtocol.MaxHeaderBytes];
        header.AsSpan().Fill((byte)' ');
        Assert.False(Read(header));

        Assert.Throws<FrameException>(() => Read([.. header, (byte)' ']));
        Assert.Throws<FrameException>(() => Read([.. header, (byte)' ', (byte)'\n']));
    }

    [Fact]
    public void Payload_MustBeAsLongAsAnnounced()
    {
        Assert.Throws<ArgumentException>(() => FrameFormat.Write(new ArrayBufferWriter<byte>(), new CliLine(1, 3), "four"u8));
        Assert.Throws<ArgumentException>(() => FrameFormat.Write(new ArrayBufferWriter<byte>(), new CliStarted(1, 2), "x"u8));
    }

    [Fact]
    public void CommandHeader_IsReadByItself()
    {
        Assert.Equal(new WriteLine("a", 3), FrameFormat.ReadCommandHeader("""{"type":"write","id":"a","bytes":3}"""u8));
        Assert.Throws<FrameException>(() => FrameFormat.ReadCommandHeader("""{"type":"write","id":"a","bytes":-3}"""u8));
    }

    private delegate bool Reader<T>(ref ReadOnlySequence<byte> input, out T header, out ReadOnlySequence<byte> payload);

    private static bool Read(byte[] bytes)
    {
        var input = new ReadOnlySequence<byte>(bytes);
        return FrameFormat.TryRead(ref input, out BridgeEvent _, out _);
    }

    private static void ReadAll<T>(byte[] bytes, Reader<T> reader)
    {
        var input = new ReadOnlySequence<byte>(bytes);
        try
        {
            while (reader(ref input, out _, out _))
            {
            }
        }
        catch (FrameException)
        {
            // The only exception that is allowed.
        }
    }

    private static List<(BridgeEvent Header, byte[] Payload)> ReadInPieces(ReadOnlyMemory<byte> bytes, int[] cuts)
    {
        var read = new List<(BridgeEvent, byte[])>();
        var pending = Array.Empty<byte>();
        for (var i = 0; !bytes.IsEmpty; i++)
        {
            var part = bytes[..Math.Min(cuts[i % cuts.Length], bytes.Length)];
            bytes = bytes[part.Length..];
            var input = Joined(pending, part);
            while (FrameFormat.TryRead(ref input, out BridgeEvent header, out var payload))
            {
                read.Add((header, payload.ToArray()));
            }

            pending = input.ToArray();
        }

        Assert.Empty(pending);
        return read;
    }

    private static ReadOnlySequence<byte> Joined(byte[] first, ReadOnlyMemory<byte> second)
    {
        var start = new Piece(first, 0);
        var end = start.Append(second);
        return new(start, 0, end, second.Length);
    }

    /// <summary>Half a surrogate pair cannot be said in UTF-8 and becomes the replacement character.</summary>
    private static BridgeEvent WellFormed(BridgeEvent header) => header switch
    {
        ExecOutput output => output with { Id = WellFormed(output.Id) },
        CommandDone done => done with { Id = WellFormed(done.Id), Error = done.Error is null ? null : WellFormed(done.Error) },
        _ => header,
    };

    private static string WellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static object? Outcome(ReadOnlySequence<byte> input)
    {
        try
        {
            return FrameFormat.TryRead(ref input, out BridgeEvent header, out _) ? header : null;
        }
        catch (FrameException)
        {
            return "refused";
        }
    }

    private static byte[] Written((BridgeEvent Header, byte[] Payload) frame)
    {
        var written = new ArrayBufferWriter<byte>();
        FrameFormat.Write(written, frame.Header, frame.Payload);
        return written.WrittenSpan.ToArray();
    }

    private static byte[] Corrupted((BridgeEvent Header, byte[] Payload) frame, int at, byte value)
    {
        var bytes = Written(frame);
        bytes[at % bytes.Length] = value;
        return bytes;
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        internal Piece(ReadOnlyMemory<byte> memory, long runningIndex) => (Memory, RunningIndex) = (memory, runningIndex);

        internal Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
