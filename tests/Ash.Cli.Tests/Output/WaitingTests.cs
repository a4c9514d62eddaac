using Ash.Cli.Output;
using Ash.Client.Tests.Scripted;

namespace Ash.Cli.Tests.Output;

public sealed class WaitingTests
{
    private readonly ManualClock _clock = new();
    private readonly StringWriter _terminal = new();

    [Fact]
    public void ShortWait_IsNotTold()
    {
        using (new Waiting(_terminal, _ => "waiting", _clock))
        {
            _clock.Advance(TimeSpan.FromMilliseconds(999));
        }

        Assert.Equal("", _terminal.ToString());
    }

    [Fact]
    public void LongWait_IsTold_KeptUpToDate_AndLeavesNoTrace()
    {
        var state = "1 MB";

        using (new Waiting(_terminal, _ => state, _clock))
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            _clock.Advance(TimeSpan.FromMilliseconds(250));
            state = "2 MB";
            _clock.Advance(TimeSpan.FromMilliseconds(250));
        }

        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("\r\e[2K1 MB\r\e[2K2 MB\r\e[2K", _terminal.ToString());
    }
}
