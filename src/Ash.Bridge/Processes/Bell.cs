namespace Ash.Bridge.Processes;

/// <summary>Wakes one waiting thread; rung before anybody waits, it is heard by the next who does. Needs no disposal.</summary>
internal sealed class Bell
{
    private readonly object _gate = new();
    private bool _isRung;

    internal void Ring()
    {
        lock (_gate)
        {
            _isRung = true;
            Monitor.Pulse(_gate);
        }
    }

    internal void Wait() => Wait(Timeout.InfiniteTimeSpan);

    /// <summary>Returns when it was rung or so much time has passed.</summary>
    internal void Wait(TimeSpan atMost)
    {
        lock (_gate)
        {
            if (!_isRung)
            {
                Monitor.Wait(_gate, atMost);
            }

            _isRung = false;
        }
    }
}
