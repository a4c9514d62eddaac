using System.Collections.Concurrent;

namespace Ash.Server.Storage;

/// <summary>When rows were last used: known at once, stored later, and never on the way of who uses them. Thread-safe.</summary>
internal sealed class LastUses
{
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _unwritten = new();

    public void Note(Guid id, DateTimeOffset at) => _unwritten[id] = at;

    /// <summary>The last use that is not stored yet, or null.</summary>
    public DateTimeOffset? Find(Guid id) => _unwritten.TryGetValue(id, out var at) ? at : null;

    /// <summary>What is to be stored. It stays here until that was done.</summary>
    public IReadOnlyList<KeyValuePair<Guid, DateTimeOffset>> Unwritten => [.. _unwritten];

    /// <summary>These are stored; what was used again meanwhile is for the next time.</summary>
    public void Written(IEnumerable<KeyValuePair<Guid, DateTimeOffset>> uses)
    {
        foreach (var use in uses)
        {
            _unwritten.TryRemove(use);
        }
    }
}
