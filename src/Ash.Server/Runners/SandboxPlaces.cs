using Ash.Server.Configuration;

namespace Ash.Server.Runners;

/// <summary>How many sandboxes this machine holds at most, by number and by memory, and who waits for a place.</summary>
/// <remarks>
/// Places go to those who wait in the order in which they came. Nobody is turned away here: how long to wait is for the
/// one who waits to decide.
/// </remarks>
internal sealed class SandboxPlaces(ServerSettings settings, MachineMemory memory, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiting = [];
    private readonly SemaphoreSlim _changed = new(0, 1);
    private int _taken;

    /// <summary>Places that are taken now, those of sandboxes on their way in or out among them.</summary>
    public int Taken => Volatile.Read(ref _taken);

    public int Capacity => settings.MaxSandboxes;

    /// <summary>How many wait for a place that is not there.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Takes a place, waiting for one where there is none.</summary>
    public async Task<SandboxPlace> TakeAsync(CancellationToken cancellationToken)
    {
        var waiter = new Waiter();
        LinkedListNode<Waiter> node;
        lock (_gate)
        {
            node = _waiting.AddLast(waiter);
        }

        Grant();
        if (!waiter.Granted.Task.IsCompleted)
        {
            NoteChange();
        }

        try
        {
            return await waiter.Granted.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Abandon(node);
            throw;
        }
    }

    /// <summary>Takes a place that nobody waits for; null where there is none.</summary>
    public SandboxPlace? TryTake()
    {
        lock (_gate)
        {
            return _waiting.Count == 0 && TryOccupy() ? new SandboxPlace(this) : null;
        }
    }

    /// <summary>A place for a sandbox that is there already, whether there is room for it or not.</summary>
    public SandboxPlace Occupy()
    {
        lock (_gate)
        {
            _taken++;
        }

        return new SandboxPlace(this);
    }

    /// <summary>Something has become idle, or memory may have: whoever makes room should look again.</summary>
    public void NoteChange()
    {
        lock (_gate)
        {
            if (_waiting.Count > 0 && _changed.CurrentCount == 0)
            {
                _changed.Release();
            }
        }
    }

    /// <summary>Completes once somebody waits and it is worth looking whom to evict.</summary>
    public Task WaitForChangeAsync(CancellationToken cancellationToken) => _changed.WaitAsync(cancellationToken);

    /// <summary>Gives places to those who wait, as far as there is room.</summary>
    public void Grant()
    {
        while (true)
        {
            Waiter first;
            lock (_gate)
            {
                if (_waiting.First is not { } node || !TryOccupy())
                {
                    return;
                }

                _waiting.RemoveFirst();
                first = node.Value;
            }

            first.Granted.SetResult(new SandboxPlace(this));
        }
    }

    internal void Release()
    {
        lock (_gate)
        {
            _taken--;
        }

        Grant();
        NoteChange();
    }

    /// <summary>Takes a place where there is room for one more sandbox. Under the lock.</summary>
    private bool TryOccupy()
    {
        if (_taken >= settings.MaxSandboxes || !memory.TryReserve(clock.GetUtcNow()))
        {
            return false;
        }

        _taken++;
        return true;
    }

    private void Abandon(LinkedListNode<Waiter> node)
    {
        bool wasWaiting;
        lock (_gate)
        {
            wasWaiting = node.List is not null;
            if (wasWaiting)
            {
                _waiting.Remove(node);
            }
        }

        if (!wasWaiting)
        {
            // It came at the same moment.
            node.Value.Granted.Task.Result.Dispose();
        }
    }

    private sealed class Waiter
    {
        public TaskCompletionSource<SandboxPlace> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
