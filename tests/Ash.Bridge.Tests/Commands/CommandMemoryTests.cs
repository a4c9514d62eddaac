using Ash.Bridge.Commands;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Commands;

public sealed class CommandMemoryTests
{
    private readonly CommandMemory memory = new(capacity: 2);

    [Fact]
    public void Repeat_GetsTheFirstOutcome()
    {
        Assert.True(memory.TryBegin("a", out _));
        memory.Finish(new("a", Ok: false, "why"));

        Assert.False(memory.TryBegin("a", out var outcome));
        Assert.Equal(new CommandDone("a", Ok: false, "why"), outcome);
    }

    [Fact]
    public void RepeatOfOneUnderWay_HasNoOutcomeYet()
    {
        memory.TryBegin("a", out _);

        Assert.False(memory.TryBegin("a", out var outcome));
        Assert.Null(outcome);
    }

    [Fact]
    public void OldestOutcome_IsForgotten_ButNoneUnderWay()
    {
        memory.TryBegin("under way", out _);
        foreach (var id in (string[])["a", "b", "c"])
        {
            memory.TryBegin(id, out _);
            memory.Finish(new(id, Ok: true));
        }

        Assert.False(memory.TryBegin("under way", out _));
        Assert.False(memory.TryBegin("b", out _));
        Assert.True(memory.TryBegin("a", out _));
    }
}
