namespace Ash.Runner.Tests.Testing;

/// <summary>Each look at it is a second later than the last; its timers are as usual. What would take a minute is given up at once.</summary>
internal sealed class LeapingClock : TimeProvider
{
    private long looks;

    public override long GetTimestamp() => base.GetTimestamp() + (Interlocked.Increment(ref looks) * TimestampFrequency);
}
