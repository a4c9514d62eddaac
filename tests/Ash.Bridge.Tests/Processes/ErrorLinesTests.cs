using System.Text;
using Ash.Bridge.Processes;

namespace Ash.Bridge.Tests.Processes;

public sealed class ErrorLinesTests
{
    private readonly List<string> lines = [];
    private readonly ErrorLines errors;
    private long nowMs;

    public ErrorLinesTests() =>
        errors = new(maxLineBytes: 5, maxLinesPerSecond: 2, () => nowMs, line => lines.Add(Encoding.ASCII.GetString(line.Span)));

    [Fact]
    public void LongLine_IsCut_HoweverItComes()
    {
        errors.Add("abc"u8);
        errors.Add("defgh"u8);
        errors.Add("ij\nk\n"u8);

        Assert.Equal(["abcde", "k"], lines);
    }

    [Fact]
    public void LinesBeyondTheRate_AreLeftOut_AndCounted()
    {
        errors.Add("1\n2\n3\n4\n"u8);
        nowMs = 1000;
        errors.Add("5\n"u8);

        Assert.Equal(["1", "2", "[ash-bridge: 2 lines of standard error were left out]", "5"], lines);
    }

    [Fact]
    public void LastLine_NeedsNoEnd_AndNoneIsMadeUp()
    {
        errors.Add("1\n2"u8);
        errors.End();
        errors.End();

        Assert.Equal(["1", "2"], lines);
    }
}
