using Ash.Server.Configuration;
using Ash.Server.Sessions;

namespace Ash.Server.Warm;

/// <summary>Which sandboxes wait for a session, and for which agents some should.</summary>
/// <remarks>A claimed one stays here until the session's runtime, opened by its grain, takes it over.</remarks>
internal sealed class WarmSandboxes(ServerSettings settings, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly List<WarmSandbox> _ready = [];
    private readonly Dictionary<string, WarmSandbox> _claimed = [];
    private readonly Dictionary<Guid, DateTimeOffset> _wanted = [];
    private readonly SemaphoreSlim _changed = new(0, 1);

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _ready.Count;
            }
        }
    }

    /// <summary>The agent is in use: some are to wait for its sessions.</summary>
    public void Want(Guid agentId)
    {
        if (settings.WarmSandboxes > 0)
        {
            lock (_gate)
            {
                _wanted[agentId] = clock.GetUtcNow();
            }

            NoteChange();
        }
    }

    /// <summary>The agent is gone, or none can be started for it: until somebody uses it again, none is.</summary>
    public void Unwant(Guid agentId)
    {
        lock (_gate)
        {
            _wanted.Remove(agentId);
        }
    }

    /// <summary>The agents that were used since then; others are forgotten.</summary>
    public IReadOnlyList<Guid> FindWanted(DateTimeOffset since)
    {
        lock (_gate)
        {
            foreach (var agent in _wanted.Where(wanted => wanted.Value < since).Select(wanted => wanted.Key).ToList())
            {
                _wanted.Remove(agent);
            }

            return [.. _wanted.Keys];
        }
    }

    /// <summary>The longest-waiting one that a session of this agent can have, or null. Whoever gets it stores the session, or returns it.</summary>
    public WarmSandbox? TryClaim(Guid agentId, string signature)
    {
        lock (_gate)
        {
            var index = _ready.FindIndex(warm => warm.Session.AgentId == agentId && warm.Signature == signature && !warm.Sandbox.Exited.IsCompleted);
            if (index < 0)
            {
                return null;
            }

            var claimed = _ready[index];
            _ready.RemoveAt(index);
            _claimed[claimed.Sandbox.Id] = claimed;
            return claimed;
        }
    }

    /// <summary>The session was not stored after all: the sandbox is as it was.</summary>
    public void Return(WarmSandbox claimed)
    {
        lock (_gate)
        {
            if (_claimed.Remove(claimed.Sandbox.Id))
            {
                _ready.Insert(0, claimed);
            }
        }
    }

    /// <summary>The claimed sandbox of a session that is being opened; null where it has another.</summary>
    public SessionSandbox? TakeClaimed(string sandboxId)
    {
        lock (_gate)
        {
            return _claimed.Remove(sandboxId, out var claimed) ? claimed.Sandbox : null;
        }
    }

    /// <summary>One is ready.</summary>
    /// <returns>False where nobody wants it any more.</returns>
    public bool TryAdd(WarmSandbox started)
    {
        lock (_gate)
        {
            if (!_wanted.ContainsKey(started.Session.AgentId))
            {
                return false;
            }

            _ready.Add(started);
            return true;
        }
    }

    /// <summary>How many more of this agent are to be started.</summary>
    public int CountMissing(Guid agentId)
    {
        lock (_gate)
        {
            return _wanted.ContainsKey(agentId) ? settings.WarmSandboxes - _ready.Count(warm => warm.Session.AgentId == agentId) : 0;
        }
    }

    /// <summary>Takes those out that fit: to be ended.</summary>
    public IReadOnlyList<WarmSandbox> Take(Predicate<WarmSandbox> fits, int atMost = int.MaxValue)
    {
        lock (_gate)
        {
            var taken = _ready.FindAll(fits).Take(atMost).ToList();
            _ready.RemoveAll(taken.Contains);
            return taken;
        }
    }

    /// <summary>Something may be missing, or too much.</summary>
    public void NoteChange()
    {
        lock (_gate)
        {
            if (_changed.CurrentCount == 0)
            {
                _changed.Release();
            }
        }
    }

    public Task WaitForChangeAsync(CancellationToken cancellationToken) => _changed.WaitAsync(cancellationToken);
}
