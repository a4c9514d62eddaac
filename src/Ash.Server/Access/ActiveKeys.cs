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

    public void Remove(Guid id)
    {
        foreach (var (slot, key) in _keys)
        {
            if (key.Caller.KeyId == id)
            {
                _keys.TryRemove(slot, out _);
            }
        }
    }

    /// <summary>The key with this SHA-256, if there is one and it has not expired.</summary>
    public ActiveKey? Find(ReadOnlySpan<byte> hash, DateTimeOffset now) =>
        _keys.TryGetValue(SlotOf(hash), out var key) && CryptographicOperations.FixedTimeEquals(hash, key.Hash) && key.IsUsable(now) ? key : null;

    public bool HasAdmin(string tenantId, DateTimeOffset now) =>
        _keys.Any(pair => pair.Value.Caller is { Scope: AccessScope.Admin } caller && caller.TenantId == tenantId && pair.Value.IsUsable(now));

    private static UInt128 SlotOf(ReadOnlySpan<byte> hash) => BinaryPrimitives.ReadUInt128LittleEndian(hash);
}
