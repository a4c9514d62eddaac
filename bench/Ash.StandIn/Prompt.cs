using System.Globalization;
using System.Text.RegularExpressions;

namespace Ash.StandIn;

/// <summary>What a prompt asks of the stand-in, anywhere in it.</summary>
/// <param name="HasDelay">False with <c>NODELAY</c>: it answers at once instead of after 50 ms.</param>
/// <param name="Deltas">From <c>FLOOD:n:delta</c> or <c>TICK:n:ms</c>.</param>
/// <param name="Messages">From <c>FLOOD:n:assistant</c>.</param>
/// <param name="Pause">After each delta, from <c>TICK:n:ms</c>.</param>
/// <param name="Calls">Of the model, from <c>CALL:n:whole</c> or <c>CALL:n:stream</c>.</param>
/// <param name="AreStreamed">Whether their answers are.</param>
internal sealed partial record Prompt(bool HasDelay, int Deltas, int Messages, TimeSpan Pause, int Calls, bool AreStreamed)
{
    public static Prompt Parse(string text)
    {
        var flood = Flood().Match(text);
        var tick = Tick().Match(text);
        var call = Call().Match(text);
        var count = flood.Success ? Number(flood.Groups[1]) : 0;
        var isDelta = flood.Success && flood.Groups[2].Value == "delta";
        return new Prompt(
            !text.Contains("NODELAY", StringComparison.Ordinal),
            tick.Success ? Number(tick.Groups[1]) : isDelta ? count : 0,
            flood.Success && !isDelta ? count : 0,
            tick.Success ? TimeSpan.FromMilliseconds(Number(tick.Groups[2])) : TimeSpan.Zero,
            call.Success ? Number(call.Groups[1]) : 0,
            call.Success && call.Groups[2].Value == "stream");
    }

    private static int Number(Group group) => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("FLOOD:([0-9]{1,8}):(delta|assistant)")]
    private static partial Regex Flood();

    [GeneratedRegex("TICK:([0-9]{1,8}):([0-9]{1,6})")]
    private static partial Regex Tick();

    [GeneratedRegex("CALL:([0-9]{1,6}):(whole|stream)")]
    private static partial Regex Call();
}
