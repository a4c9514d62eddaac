using Ash.Server.Configuration;
using CsCheck;

namespace Ash.Server.Tests.Configuration;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("10m", 600_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("90", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("0", 0)]
    [InlineData("0ms", 0)]
    public void Duration_IsRead_AsPeopleWriteIt(string text, long milliseconds)
    {
        Assert.True(DurationText.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("+1s")]
    [InlineData("1 s")]
    [InlineData(" 1s")]
    [InlineData("1S")]
    [InlineData("1e3")]
    [InlineData("1,5s")]
    [InlineData("1s2")]
    [InlineData("5min")]
    [InlineData("NaN")]
    [InlineData("∞")]
    [InlineData("99999999999999999999d")]
    public void AnythingElse_IsNoDuration(string text) => Assert.False(DurationText.TryParse(text, out _));

    [Fact]
    public void Duration_IsItselfAgain_WrittenAndRead() =>
        Gen.Long[0, (long)TimeSpan.FromDays(100_000).TotalMilliseconds].Sample(milliseconds =>
        {
            var duration = TimeSpan.FromMilliseconds(milliseconds);
            return DurationText.TryParse(DurationText.Format(duration), out var again) && again == duration;
        });

    [Fact]
    public void NoText_MakesTheReaderFail() => Gen.String.Sample(text => DurationText.TryParse(text, out var duration) ? duration >= TimeSpan.Zero : duration == default);
}
