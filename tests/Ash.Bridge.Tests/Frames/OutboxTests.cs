using System.Buffers;
using System.Text;
using Ash.Bridge.Frames;
using Ash.Protocol.Bridge;
using CsCheck;

namespace Ash.Bridge.Tests.Frames;

public sealed class OutboxTests
{
    private readonly Outbox _outbox = new(new SegmentPool());

    [Fact]
    public void Frames_AreNumberedFromOne_AndSentInOrder()
    {
        Add("a");
        Add("b");

        Assert.Equal([(1, "a"), (2, "b")], SendAll());
        Assert.Equal((1, 2), (_outbox.Oldest, _outbox.Head));
    }

    [Fact]
    public void Resume_SendsAgainWhatWasNotAcknowledged_FromTheStartOfAFrame()
    {
        Add("a");
        Add("b");
        Add("c");
        _outbox.Sent(_outbox.Unsent.Length - 2);

        _outbox.Resume(1);

        Assert.Equal([(2, "b"), (3, "c")], SendAll());
    }

    [Fact]
    public void Acknowledgement_BeyondTheNewestFrame_IsRefused()
    {
        Add("a");

        Assert.False(_outbox.TryAcknowledge(2));
        Assert.Equal(1, _outbox.Oldest);
        Assert.True(_outbox.TryAcknowledge(0));
    }

    [Fact]
    public void Acknowledgement_OfAFrameOfTheLastConnection_HoldsOnceItWasSentOnThisOne()
    {
        Add("a");
        Add("b");
        SendAll();
        _outbox.Resume(0);
        _outbox.Sent(10);

        Assert.True(_outbox.TryAcknowledge(1));

        Assert.Equal(1, _outbox.Oldest);
        _outbox.Sent(_outbox.Unsent.Length);
        Assert.Equal(2, _outbox.Oldest);
    }

    [Fact]
    public void Welcome_BeyondTheNewestFrame_CountsAsThatOne()
    {
        Add("a");

        _outbox.Resume(99);

        Assert.Empty(SendAll());
        Add("b");
        Assert.Equal([(2, "b")], SendAll());
    }

    [Fact]
    public void Outbox_IsFull_UntilEnoughIsAcknowledged()
    {
        var line = new byte[1024 * 1024];
        while (!_outbox.IsFull)
        {
            _outbox.AddLine(1, line);
        }

        Assert.Equal(64, _outbox.Head);
        _outbox.Resume(0);
        SendAll();
        Assert.True(_outbox.TryAcknowledge(1));
        Assert.False(_outbox.IsFull);
    }

    [Fact]
    public void FloodOfEmptyLines_IsBounded()
    {
        while (!_outbox.IsFull)
        {
            _outbox.AddLine(1, []);
        }

        Assert.InRange(_outbox.Head, 500_000, 1_500_000);
    }

    [Fact]
    public void PayloadOutOfAQueue_IsTheSameAsOneInASpan()
    {
        var queue = new ByteQueue(new SegmentPool());
        var bytes = Enumerable.Range(0, 200_000).Select(i => (byte)i).ToArray();
        queue.Write(bytes);

        _outbox.AddLine(7, queue);

        Assert.True(queue.IsEmpty);
        Assert.Equal(bytes, Decode(SendBytes()).Single().Payload);
    }

    [Fact]
    public void Line_IsEncodedLikeEveryOtherFrame() =>
        Gen.Select(Gen.Int, Gen.Byte.Array[0, 1000]).Sample((process, line) =>
        {
            var (quick, usual) = (new Outbox(new SegmentPool()), new Outbox(new SegmentPool()));
            quick.AddLine(process, line);
            usual.Add(new CliLine(process, line.Length), line);

            Assert.Equal(usual.Unsent.ToArray(), quick.Unsent.ToArray());
        });

    /// <summary>Whatever the order of adding, sending, acknowledging and reconnecting: the server sees every frame, once, in order.</summary>
    [Fact]
    public void Server_SeesEveryFrameOnceAndInOrder_WhateverHappens() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 200_000]).Array[1, 60].Sample(steps =>
        {
            var pool = new SegmentPool();
            var box = new Outbox(pool);
            var wire = new List<byte>();
            var stored = new List<long>();
            var added = 0;

            void Store()
            {
                var input = new ReadOnlySequence<byte>(wire.ToArray());
                while (FrameFormat.TryRead(ref input, out BridgeEvent header, out var payload))
                {
                    Assert.Equal(((CliLine)header).Bytes, payload.Length);
                    stored.Add(header.Number);
                }

                wire = [.. input.ToArray()];
            }

            box.Resume(0);
            foreach (var (step, size) in steps)
            {
                switch (step)
                {
                    case 0 or 1:
                        box.Add(new CliLine(1, size), new byte[size]);
                        added++;
                        break;
                    case 2:
                        var part = box.Unsent[..Math.Min(box.Unsent.Length, size)];
                        wire.AddRange(part);
                        box.Sent(part.Length);
                        Store();
                        break;
                    case 3:
                        Assert.True(box.TryAcknowledge(stored.Count == 0 ? 0 : stored[^1] - (size % 2)));
                        break;
                    default:
                        wire.Clear();
                        box.Resume(stored.Count);
                        break;
                }
            }

            while (!box.Unsent.IsEmpty)
            {
                wire.AddRange(box.Unsent);
                box.Sent(box.Unsent.Length);
            }

            Store();
            Assert.Equal(Enumerable.Range(1, added).Select(n => (long)n), stored);
        });

    private void Add(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line);
        _outbox.AddLine(1, bytes);
    }

    private List<(int, string)> SendAll() =>
        [.. Decode(SendBytes()).Select(frame => ((int)frame.Number, Encoding.UTF8.GetString(frame.Payload)))];

    private byte[] SendBytes()
    {
        var bytes = new List<byte>();
        while (!_outbox.Unsent.IsEmpty)
        {
            bytes.AddRange(_outbox.Unsent);
            _outbox.Sent(_outbox.Unsent.Length);
        }

        return [.. bytes];
    }

    private static IEnumerable<(long Number, byte[] Payload)> Decode(byte[] bytes)
    {
        var input = new ReadOnlySequence<byte>(bytes);
        while (FrameFormat.TryRead(ref input, out BridgeEvent header, out var payload))
        {
            yield return (header.Number, payload.ToArray());
        }
    }
}
