namespace Ash.Simulator.Tests;

public sealed class GatesTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gate_HoldsAllUntilReleased_AndStaysOpen()
    {
        var gates = new Gates();
        var first = gates.PassAsync("a", Cancelled);
        var second = gates.PassAsync("a", Cancelled);
        var other = gates.PassAsync("b", Cancelled);

        Assert.False(first.IsCompleted);
        Assert.Equal(2, gates.Release("a"));
        await first;
        await second;
        await gates.PassAsync("a", Cancelled);
        Assert.False(other.IsCompleted);
        Assert.Equal(new Dictionary<string, int> { ["b"] = 1 }, gates.Held());
    }

    [Fact]
    public async Task Watcher_IsTold_AsAReplyIsHeld()
    {
        var gates = new Gates();
        var held = gates.WaitUntilHeldAsync("a", Cancelled);
        Assert.False(held.IsCompleted);

        var reply = gates.PassAsync("a", Cancelled);
        await held;
        await gates.WaitUntilHeldAsync("a", Cancelled);
        gates.Release("a");
        await reply;
    }

    [Fact]
    public async Task Gate_IsForgotten_WhenItsLastReplyIsGone()
    {
        var gates = new Gates();
        using var gone = new CancellationTokenSource();
        var reply = gates.PassAsync("a", gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reply);

        Assert.Empty(gates.Held());
        Assert.False(gates.WaitUntilHeldAsync("a", Cancelled).IsCompleted);
    }

    [Fact]
    public async Task Reset_LetsGoWhatIsHeld_AndShutsTheGateAgain()
    {
        var gates = new Gates();
        var before = gates.PassAsync("a", Cancelled);
        gates.Reset();
        await before;

        var after = gates.PassAsync("a", Cancelled);
        Assert.False(after.IsCompleted);
        gates.Release("a");
        await after;
    }
}
