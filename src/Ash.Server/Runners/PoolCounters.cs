namespace Ash.Server.Runners;

/// <summary>How sessions came to their sandboxes since this server started (contract 1.7).</summary>
internal sealed class PoolCounters
{
    private int _resumedWarm;
    private int _resumedCold;
    private int _evicted;
    private int _startedWarm;

    /// <summary>Wakes that found the session's sandbox alive.</summary>
    public int ResumedWarm => Volatile.Read(ref _resumedWarm);

    /// <summary>Wakes that needed a new sandbox.</summary>
    public int ResumedCold => Volatile.Read(ref _resumedCold);

    /// <summary>Sessions that were created with a sandbox that waited for one.</summary>
    public int StartedWarm => Volatile.Read(ref _startedWarm);

    /// <summary>Idle sandboxes that were ended to make room.</summary>
    public int Evicted => Volatile.Read(ref _evicted);

    public void CountResume(bool isWarm) => Interlocked.Increment(ref isWarm ? ref _resumedWarm : ref _resumedCold);

    public void CountWarmStart() => Interlocked.Increment(ref _startedWarm);

    public void CountEviction() => Interlocked.Increment(ref _evicted);
}
