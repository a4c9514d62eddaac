using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Ash.Server.Access;

/// <summary>All keys that let somebody in, in memory. Thread-safe.</summary>
/// <remarks>
/// Found by half of its hash and then compared in full and in constant time: how long a search takes says nothing about how
/// near a guess was.
/// </remarks>
internal sealed class ActiveKeys
{
    private readonly ConcurrentDictionary<UInt128, ActiveKey> _keys = new();

    public void Add(ActiveKey key) => _keys[SlotOf(key.Hash)] = key;

    /// <summary>The stored key with this id.</summary>
    public ActiveKey? Find(Guid id) => _keys.Values.FirstOrDefault(key => key.Caller.KeyId == id);

    /// <returns>The key that is not among them any more.</returns>
    public ActiveKey? Remove(Guid id) => Find(id) is { } key && _keys.TryRemove(SlotOf(key.Hash), out _) ? key : null;

    /// <summary>The key with this SHA-256, if there is one and it has not expired.</summary>
    public ActiveKey? Find(ReadOnlySpan<byte> hash, DateTimeOffset now)
    {
        var isKnown = _keys.TryGetValue(SlotOf(hash), out var key) && CryptographicOperations.FixedTimeEquals(hash, key.Hash);
        return isKnown && key!.IsUsable(now) ? key : null; // What is known is there.
    }

    public bool HasAdmin(string tenantId, DateTimeOffset now) => _keys.Values.Any(key =>
        key.Caller.Scope == AccessScope.Admin && key.Caller.TenantId == tenantId && key.IsUsable(now));

    private static UInt128 SlotOf(ReadOnlySpan<byte> hash) => BinaryPrimitives.ReadUInt128LittleEndian(hash);
}
