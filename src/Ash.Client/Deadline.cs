namespace Ash.Client;

/// <summary>The caller's wish to stop, or the end of the time that was given, whichever comes first.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationToken caller;
    private readonly CancellationTokenSource time;
    private readonly CancellationTokenSource either;

    public Deadline(TimeSpan limit, TimeProvider clock, CancellationToken caller)
    {
        this.caller = caller;
        Limit = limit;
        time = new CancellationTokenSource(limit, clock);
        either = CancellationTokenSource.CreateLinkedTokenSource(caller, time.Token);
    }

    public TimeSpan Limit { get; }

    public CancellationToken Token => either.Token;

    /// <summary>True where the time is over and the caller still wants an answer.</summary>
    public bool IsOver => time.IsCancellationRequested && !caller.IsCancellationRequested;

    /// <summary>Starts the time again.</summary>
    public void Restart() => time.CancelAfter(Limit);

    /// <summary>Holds the time until it is started again.</summary>
    public void Stop() => time.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        either.Dispose();
        time.Dispose();
    }
}
