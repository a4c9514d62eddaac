namespace Ash.Bridge.Processes;

/// <summary>Wakes one waiting thread; rung before anybody waits, it is heard by the next who does. Needs no disposal.</summary>
internal sealed class Bell
{
    private readonly object gate = new();
    private bool isRung;

    internal void Ring()
    {
        lock (gate)
        {
            isRung = true;
            Monitor.Pulse(gate);
        }
    }

    internal void Wait() => Wait(Timeout.InfiniteTimeSpan);

    /// <summary>Returns when it was rung or so much time has passed.</summary>
    internal void Wait(TimeSpan atMost)
    {
        lock (gate)
        {
            if (!isRung)
            {
                Monitor.Wait(gate, atMost);
            }

            isRung = false;
        }
    }
}
