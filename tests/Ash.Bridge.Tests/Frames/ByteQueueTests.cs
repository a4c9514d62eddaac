using Ash.Bridge.Frames;
using CsCheck;

namespace Ash.Bridge.Tests.Frames;

public sealed class ByteQueueTests
{
    [Fact]
    public void Bytes_ComeOutAsTheyWentIn_HoweverTheyAreTaken() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 150_000]).Array[1, 40].Sample(steps =>
        {
            var pool = new SegmentPool();
            var (queue, other) = (new ByteQueue(pool), new ByteQueue(pool));
            var (expected, expectedOther) = (new Queue<byte>(), new Queue<byte>());
            var next = (byte)0;

            foreach (var (step, size) in steps)
            {
                switch (step)
                {
                    case 0:
                        var bytes = new byte[size];
                        for (var i = 0; i < size; i++)
                        {
                            expected.Enqueue(bytes[i] = next++);
                        }

                        queue.Write(bytes);
                        break;
                    case 1:
                        var front = queue.Front;
                        Assert.Equal(expected.Take(front.Length), front.ToArray());
                        Assert.Equal(expected.Count == 0, front.IsEmpty);
                        break;
                    case 2:
                        var skipped = Math.Min(size, expected.Count);
                        queue.Skip(skipped);
                        Drop(expected, skipped);
                        break;
                    default:
                        var moved = Math.Min(size, expected.Count);
                        queue.MoveTo(other, moved);
                        for (var i = 0; i < moved; i++)
                        {
                            expectedOther.Enqueue(expected.Dequeue());
                        }

                        break;
                }

                Assert.Equal(expected.Count, queue.Length);
            }

            Assert.Equal(expected, TakeAll(queue));
            Assert.Equal(expectedOther, TakeAll(other));
        }, iter: 50);

    [Fact]
    public void MoreThanThereIs_CannotBeTaken()
    {
        var queue = new ByteQueue(new SegmentPool());
        queue.Write([1, 2]);

        Assert.Throws<ArgumentOutOfRangeException>(() => queue.Skip(3));
    }

    private static void Drop(Queue<byte> bytes, int count)
    {
        for (; count > 0; count--)
        {
            bytes.Dequeue();
        }
    }

    private static byte[] TakeAll(ByteQueue queue)
    {
        var bytes = new List<byte>();
        while (!queue.IsEmpty)
        {
            bytes.AddRange(queue.Front);
            queue.Skip(queue.Front.Length);
        }

        return [.. bytes];
    }
}
