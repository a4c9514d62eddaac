using System.Collections.Concurrent;

namespace Ash.Server.Sessions;

/// <summary>Which session a live sandbox of this server serves.</summary>
internal sealed class SandboxDirectory
{
    private readonly ConcurrentDictionary<string, (SessionSandbox Sandbox, SessionRuntime Session)> _live = new();

    public int Count => _live.Count;

    public void Add(SessionSandbox sandbox, SessionRuntime session) => _live[sandbox.Id] = (sandbox, session);

    public void Remove(SessionSandbox sandbox) => _live.TryRemove(sandbox.Id, out _);

    public bool TryFind(string sandboxId, out SessionSandbox sandbox, out SessionRuntime session)
    {
        var found = _live.TryGetValue(sandboxId, out var entry);
        (sandbox, session) = entry;
        return found;
    }
}
