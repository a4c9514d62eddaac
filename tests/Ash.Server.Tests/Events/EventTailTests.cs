using System.Text;
using Ash.Server.Events;
using static Ash.Server.Tests.Events.Rows;

namespace Ash.Server.Tests.Events;

public sealed class EventTailTests
{
    private static string TextOf(TailSegment segment, int firstRow) =>
        Encoding.UTF8.GetString(segment.Bytes(firstRow, segment.Rows.Length));

    [Fact]
    public void PublishedRows_AreThereRendered()
    {
        var tail = new EventTail(Session);
        var rows = WholeTurn(1, Turn);
        tail.Publish(rows, idle: true);

        Assert.Equal(7, tail.Head);
        Assert.True(tail.TryRead(0, out var segment, out var first));
        Assert.Equal(string.Concat(rows.Select(row => Render(row))), TextOf(segment, first));
        Assert.Equal(
            [EventFlags.Lifecycle, EventFlags.Lifecycle, EventFlags.None, EventFlags.Partial, EventFlags.None, EventFlags.None, EventFlags.TurnEnd],
            segment.Rows.ToArray().Select(row => row.Flags));
    }

    [Fact]
    public void Reader_GoesOnInTheMiddleOfACommit()
    {
        var tail = new EventTail(Session);
        var rows = WholeTurn(1, Turn);
        tail.Publish(rows, idle: true);

        Assert.True(tail.TryRead(5, out var segment, out var first));
        Assert.Equal(Render(rows[5]) + Render(rows[6]), TextOf(segment, first));
        Assert.False(tail.TryRead(7, out _, out _));
    }

    [Fact]
    public void RowsBeforeTheFirstCommit_AreNotHere()
    {
        var tail = new EventTail(Session);
        tail.Start(10, idle: true);
        tail.Publish(WholeTurn(11, Turn), idle: true);

        Assert.False(tail.TryRead(9, out _, out _));
        Assert.True(tail.TryRead(10, out _, out _));
    }

    [Fact]
    public void GapInTheLog_IsCrossedByWhoHasSeenAllBefore()
    {
        var tail = new EventTail(Session);
        tail.Publish(WholeTurn(1, Turn), idle: true);
        tail.Publish(WholeTurn(1_000_008, OtherTurn), idle: true);

        Assert.True(tail.TryRead(7, out var segment, out var first));
        Assert.Equal((1_000_008, 0), (segment.Rows[first].Seq, first));
        Assert.True(tail.TryRead(500_000, out _, out _));
    }

    [Fact]
    public void Tail_KeepsTheNewest_WithinItsBounds()
    {
        const int maxBytes = 64 * 1024;
        var tail = new EventTail(Session, maxBytes);
        for (var seq = 1; seq <= 5000; seq++)
        {
            tail.Publish([Cli(seq, TextDelta)], idle: false);
            Assert.True(tail.KeptBytes <= maxBytes);
        }

        Assert.False(tail.TryRead(0, out _, out _));
        Assert.True(tail.TryRead(4999, out _, out _));
        Assert.True(tail.KeptBytes > maxBytes / 2);
        var oldest = Enumerable.Range(0, 5000).First(seq => tail.TryRead(seq, out _, out _));
        Assert.All(Enumerable.Range(oldest, 5000 - oldest), seq => Assert.True(tail.TryRead(seq, out _, out _)));
    }

    [Fact]
    public void LongRow_IsNotKept_ButItsNeighboursAre()
    {
        var tail = new EventTail(Session);
        var longLine = $$"""{"type":"assistant","text":"{{new string('x', EventTail.MaxRowBytes)}}"}""";
        tail.Publish([Cli(1, TextDelta), Cli(2, longLine), Cli(3, TextDelta)], idle: false);

        Assert.True(tail.TryRead(0, out _, out _));
        Assert.False(tail.TryRead(1, out _, out _));
        Assert.True(tail.TryRead(2, out _, out _));
        Assert.True(tail.KeptBytes < 10_000);
    }

    [Fact]
    public void Idle_IsSaidOfTheHeadAlone()
    {
        var tail = new EventTail(Session);
        Assert.True(tail.IsIdle);
        tail.Publish([Row(1, EventType.TurnQueued, "{}", Turn)], idle: false);
        Assert.False(tail.IsIdle);
        tail.Publish([], idle: true);
        Assert.True(tail.IsIdle);
        Assert.True(tail.IsIdleAt(1));
        Assert.False(tail.IsIdleAt(0));
    }

    [Fact]
    public void RowsThatDoNotAscend_AreRefused()
    {
        var tail = new EventTail(Session);
        tail.Publish([Cli(1, TextDelta), Cli(2, TextDelta)], idle: false);

        Assert.Throws<ArgumentException>(() => tail.Publish([Cli(2, TextDelta)], idle: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => tail.Start(1, idle: false));
        tail.Publish([Cli(3, TextDelta)], idle: false);
        Assert.True(tail.TryRead(2, out var segment, out var first));
        Assert.Equal(Render(Cli(3, TextDelta)), TextOf(segment, first));
    }

    [Fact]
    public void Tails_AreKeptAsLongAsAnybodyHoldsThem()
    {
        var tails = new EventTails();
        var owner = tails.Acquire(Session);
        var viewer = tails.Acquire(Session);
        Assert.Same(owner.Tail, viewer.Tail);

        owner.Dispose();
        owner.Dispose();
        using (var next = tails.Acquire(Session))
        {
            Assert.Same(viewer.Tail, next.Tail);
        }

        viewer.Dispose();
        Assert.Equal(0, tails.Count);
    }
}
