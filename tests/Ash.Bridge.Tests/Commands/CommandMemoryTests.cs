using Ash.Bridge.Commands;
using Ash.Protocol.Bridge;

namespace Ash.Bridge.Tests.Commands;

public sealed class CommandMemoryTests
{
    private readonly CommandMemory _memory = new(capacity: 2);

    [Fact]
    public void Repeat_GetsTheFirstOutcome()
    {
        Assert.True(_memory.TryBegin("a", out _));
        _memory.Finish(new("a", Ok: false, "why"));

        Assert.False(_memory.TryBegin("a", out var outcome));
        Assert.Equal(new CommandDone("a", Ok: false, "why"), outcome);
    }

    [Fact]
    public void RepeatOfOneUnderWay_HasNoOutcomeYet()
    {
        _memory.TryBegin("a", out _);

        Assert.False(_memory.TryBegin("a", out var outcome));
        Assert.Null(outcome);
    }

    [Fact]
    public void OldestOutcome_IsForgotten_ButNoneUnderWay()
    {
        _memory.TryBegin("under way", out _);
        foreach (var id in (string[])["a", "b", "c"])
        {
            _memory.TryBegin(id, out _);
            _memory.Finish(new(id, Ok: true));
        }

        Assert.False(_memory.TryBegin("under way", out _));
        Assert.False(_memory.TryBegin("b", out _));
        Assert.True(_memory.TryBegin("a", out _));
    }
}
