using Ash.Client.Events;

namespace Ash.Client.Tests.Events;

public sealed class EventCursorTests
{
    [Fact]
    public void Frames_ComeBeforeTheirRow_AndRowsInOrder()
    {
        string[] inOrder = ["1", "2.1", "2.2", "2.10", "2", "3.1", "10.1", "10", "1000010"];
        var cursors = inOrder.Select(Parse).ToList();

        Assert.Equal(cursors, cursors.Order());
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("1.")]
    [InlineData(".1")]
    [InlineData("-1")]
    [InlineData("1.2.3")]
    public void AnythingElse_IsNoCursor(string text) => Assert.False(EventCursor.TryParse(text, out _));

    private static EventCursor Parse(string text)
    {
        Assert.True(EventCursor.TryParse(text, out var cursor));
        return cursor;
    }
}
