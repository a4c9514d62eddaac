using Ash.Server.Events;

namespace Ash.Server.Tests.Events;

public sealed class EventSignalTests
{
    [Fact]
    public void SignalBeforeTheWait_IsKept_AndSeveralAreOne()
    {
        var signal = new EventSignal();
        signal.Set();
        signal.Set();

        Assert.True(signal.WaitAsync().AsTask().IsCompletedSuccessfully);
        Assert.False(signal.WaitAsync().AsTask().IsCompleted);
    }

    [Fact]
    public async Task Signal_WakesTheWaiter()
    {
        var signal = new EventSignal();
        var waiting = signal.WaitAsync().AsTask();
        signal.Set();

        await waiting;
        Assert.False(signal.WaitAsync().AsTask().IsCompleted);
    }

    [Fact]
    public async Task Waiter_MissesNothing_WhileManySet()
    {
        const int rounds = 20_000;
        var signal = new EventSignal();
        var produced = 0;
        var setters = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            for (var round = 0; round < rounds; round++)
            {
                Interlocked.Increment(ref produced);
                signal.Set();
            }
        })).ToArray();

        // A lost signal would leave this waiting for ever.
        while (Volatile.Read(ref produced) < 3 * rounds)
        {
            await signal.WaitAsync();
        }

        await Task.WhenAll(setters);
    }
}
