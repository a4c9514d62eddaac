namespace Ash.Client;

/// <summary>The caller's wish to stop, or the end of the time that was given, whichever comes first.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationToken _caller;
    private readonly CancellationTokenSource _time;
    private readonly CancellationTokenSource _either;

    public Deadline(TimeSpan limit, TimeProvider clock, CancellationToken caller)
    {
        _caller = caller;
        Limit = limit;
        _time = new CancellationTokenSource(limit, clock);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_caller, _time.Token);
    }

    public TimeSpan Limit { get; }

    public CancellationToken Token => _either.Token;

    /// <summary>True where the time is over and the caller still wants an answer.</summary>
    public bool IsOver => _time.IsCancellationRequested && !_caller.IsCancellationRequested;

    /// <summary>Starts the time again.</summary>
    public void Restart() => _time.CancelAfter(Limit);

    /// <summary>Holds the time until it is started again.</summary>
    public void Stop() => _time.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Dispose()
    {
        _either.Dispose();
        _time.Dispose();
    }
}
