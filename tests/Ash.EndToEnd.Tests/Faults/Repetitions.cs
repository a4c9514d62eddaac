namespace Ash.EndToEnd.Tests.Faults;

/// <summary>Where a fault strikes, and how often it is tried: once, or twenty times with <c>ASH_TEST_LONG=1</c>.</summary>
internal static class Repetitions
{
    public static int Count { get; } = Environment.GetEnvironmentVariable("ASH_TEST_LONG") == "1" ? 20 : 1;
}

/// <summary>How far a turn is when it is struck.</summary>
public enum Moment
{
    /// <summary>The model was called and has said nothing.</summary>
    BeforeTheFirstByte,

    /// <summary>The model's answer has come in part.</summary>
    WithinADelta,

    /// <summary>A command of the agent runs.</summary>
    WithinATool,
}
