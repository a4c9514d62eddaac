using Ash.Server.Broker;
using CsCheck;

namespace Ash.Server.Tests.Broker;

public sealed class TokenBucketTests
{
    [Fact]
    public void Bucket_LetsThroughTheBurst_AndThenTheRate()
    {
        Gen.Select(Gen.Int[1, 50], Gen.Double[0.1, 100], Gen.Int[0, 5000].Array[1, 100]).Sample((burst, rate, pauses) =>
        {
            var clock = new ManualClock();
            var bucket = new TokenBucket(burst, rate, clock);
            var (taken, elapsed) = (0, 0.0);

            foreach (var pause in pauses)
            {
                clock.Advance(TimeSpan.FromMilliseconds(pause));
                elapsed += pause / 1000.0;
                taken += bucket.TryTake(out _) ? 1 : 0;
                Assert.True(taken <= burst + (elapsed * rate) + 1e-6);
            }
        });
    }

    [Fact]
    public void WhoWaitsAsToldTo_GetsOne()
    {
        Gen.Select(Gen.Int[1, 5], Gen.Double[0.1, 1000]).Sample((burst, rate) =>
        {
            var clock = new ManualClock();
            var bucket = new TokenBucket(burst, rate, clock);

            for (var i = 0; i < 20; i++)
            {
                if (!bucket.TryTake(out var wait))
                {
                    clock.Advance(wait);
                    Assert.True(bucket.TryTake(out _));
                }
            }
        });
    }
}
