using System.Text;
using Ash.Bridge.Processes;

namespace Ash.Bridge.Tests.Processes;

public sealed class ErrorLinesTests
{
    private readonly List<string> _lines = [];
    private readonly ErrorLines _errors;
    private long _nowMs;

    public ErrorLinesTests() =>
        _errors = new(maxLineBytes: 5, maxLinesPerSecond: 2, () => _nowMs, line => _lines.Add(Encoding.ASCII.GetString(line.Span)));

    [Fact]
    public void LongLine_IsCut_HoweverItComes()
    {
        _errors.Add("abc"u8);
        _errors.Add("defgh"u8);
        _errors.Add("ij\nk\n"u8);

        Assert.Equal(["abcde", "k"], _lines);
    }

    [Fact]
    public void LinesBeyondTheRate_AreLeftOut_AndCounted()
    {
        _errors.Add("1\n2\n3\n4\n"u8);
        _nowMs = 1000;
        _errors.Add("5\n"u8);

        Assert.Equal(["1", "2", "[ash-bridge: 2 lines of standard error were left out]", "5"], _lines);
    }

    [Fact]
    public void LastLine_NeedsNoEnd_AndNoneIsMadeUp()
    {
        _errors.Add("1\n2"u8);
        _errors.End();
        _errors.End();

        Assert.Equal(["1", "2"], _lines);
    }
}
