using System.Text;
using Ash.Server.Events;
using CsCheck;

namespace Ash.Server.Tests.Events;

public sealed class EventCursorTests
{
    [Theory]
    [InlineData("0", 0, 0, 0)]
    [InlineData("17", 17, 0, 17)]
    [InlineData("17.2", 17, 2, 16)]
    [InlineData("9223372036854775807.2147483647", long.MaxValue, int.MaxValue, long.MaxValue - 1)]
    public void Id_IsACursor(string text, long seq, int frame, long completeSeq)
    {
        Assert.True(EventCursor.TryParse(text, out var cursor));
        Assert.Equal(new(seq, frame), cursor);
        Assert.Equal(completeSeq, cursor.CompleteSeq);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("1.")]
    [InlineData(".1")]
    [InlineData("1.0")]
    [InlineData("0.1")]
    [InlineData("01")]
    [InlineData("1.01")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("1.2.3")]
    [InlineData("1e3")]
    [InlineData("٣")]
    [InlineData("latest")]
    [InlineData("9223372036854775808")]
    [InlineData("1.2147483648")]
    public void AnythingElse_IsNone(string text) => Assert.False(EventCursor.TryParse(text, out _));

    [Fact]
    public void WhatIsWritten_IsRead() =>
        Gen.Select(Gen.Long[1, long.MaxValue], Gen.Int[0, int.MaxValue]).Sample((seq, frame) =>
        {
            var cursor = new EventCursor(seq, frame);
            var utf8 = new byte[EventCursor.MaxBytes];
            var written = Encoding.ASCII.GetString(utf8, 0, cursor.Format(utf8));

            return written == cursor.ToString() && EventCursor.TryParse(written, out var read) && read == cursor;
        });
}
