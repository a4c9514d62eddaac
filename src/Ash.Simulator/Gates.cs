namespace Ash.Simulator;

/// <summary>Holds replies until a test lets them go. A gate is shut until it is released, and stays open then.</summary>
internal sealed class Gates
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Gate> _gates = [];

    /// <summary>Completes as the gate opens; at once if it is open.</summary>
    public async Task PassAsync(string name, CancellationToken cancellationToken)
    {
        var gate = Change(name, gate => gate.Waiting++);

        try
        {
            gate.Held.TrySetResult();
            await gate.Opened.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            Change(name, gate, gate => gate.Waiting--);
        }
    }

    /// <summary>Completes once a reply stands at the gate, or has passed it.</summary>
    public async Task WaitUntilHeldAsync(string name, CancellationToken cancellationToken)
    {
        var gate = Change(name, gate => gate.Watching++);

        try
        {
            await gate.Held.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            Change(name, gate, gate => gate.Watching--);
        }
    }

    /// <summary>Opens the gate for all that stand there and all that come; returns how many stood there.</summary>
    public int Release(string name)
    {
        var gate = Change(name, gate => gate.IsOpen = true);
        gate.Opened.TrySetResult();
        return gate.Waiting;
    }

    /// <summary>How many replies stand at each gate.</summary>
    public IReadOnlyDictionary<string, int> Held()
    {
        lock (_lock)
        {
            return _gates.Where(gate => gate.Value is { IsOpen: false, Waiting: > 0 }).ToDictionary(gate => gate.Key, gate => gate.Value.Waiting);
        }
    }

    /// <summary>Lets everything go and shuts all gates for what comes later.</summary>
    public void Reset()
    {
        List<Gate> gates;

        lock (_lock)
        {
            gates = [.. _gates.Values];
            _gates.Clear();
        }

        gates.ForEach(gate => gate.Opened.TrySetResult());
    }

    private Gate Change(string name, Action<Gate> change)
    {
        lock (_lock)
        {
            if (!_gates.TryGetValue(name, out var gate))
            {
                _gates[name] = gate = new();
            }

            change(gate);
            return gate;
        }
    }

    /// <summary>Changes a gate that may have been reset meanwhile, and forgets it when nothing depends on it.</summary>
    private void Change(string name, Gate gate, Action<Gate> change)
    {
        lock (_lock)
        {
            change(gate);

            if (gate is { IsOpen: false, Waiting: 0, Watching: 0 } && _gates.GetValueOrDefault(name) == gate)
            {
                _gates.Remove(name);
            }
        }
    }

    private sealed class Gate
    {
        public TaskCompletionSource Opened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Held { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsOpen { get; set; }

        public int Waiting { get; set; }

        public int Watching { get; set; }
    }
}
