namespace Ash.Simulator.Requests;

/// <summary>The last requests, bounded in number and in bytes, and news of them for those who wait.</summary>
internal sealed class RequestLog(int kept, long keptBytes)
{
    private readonly Lock _lock = new();
    private readonly Queue<RecordedRequest> _requests = [];
    private long _bytes;
    private long _lastNumber;
    private TaskCompletionSource _changed = NewSignal();

    public long LastNumber => Interlocked.Read(ref _lastNumber);

    public long NextNumber() => Interlocked.Increment(ref _lastNumber);

    public IReadOnlyList<RecordedRequest> Snapshot()
    {
        lock (_lock)
        {
            return [.. _requests];
        }
    }

    public void Add(RecordedRequest request)
    {
        lock (_lock)
        {
            _requests.Enqueue(request);
            _bytes += request.Body.Length;

            // The newest always stays, however large it is.
            while (_requests.Count > 1 && (_requests.Count > kept || _bytes > keptBytes))
            {
                _bytes -= _requests.Dequeue().Body.Length;
            }
        }

        SignalChange();
    }

    public void Clear()
    {
        lock (_lock)
        {
            _requests.Clear();
            _bytes = 0;
        }
    }

    /// <summary>Something about a request is known that was not.</summary>
    public void SignalChange()
    {
        TaskCompletionSource changed;

        lock (_lock)
        {
            changed = _changed;
            _changed = NewSignal();
        }

        changed.SetResult();
    }

    /// <summary>The first kept request that fits, as soon as there is one.</summary>
    public async Task<RecordedRequest> WaitAsync(Func<RecordedRequest, bool> fits, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            RecordedRequest[] requests;

            lock (_lock)
            {
                changed = _changed.Task;
                requests = [.. _requests];
            }

            if (requests.FirstOrDefault(fits) is { } found)
            {
                return found;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
