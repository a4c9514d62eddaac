using System.Net;
using Ash.Server.Storage;

namespace Ash.Server.Access;

/// <summary>A key in memory, as every request needs it.</summary>
internal sealed class ActiveKey(Caller caller, byte[] hash, DateTimeOffset? expiresAt)
{
    private IPAddress? _lastAddress;

    public Caller Caller => caller;

    /// <summary>SHA-256 of its text.</summary>
    public ReadOnlySpan<byte> Hash => hash;

    public static ActiveKey Of(ApiKeyRecord record) => new(
        new Caller(record.TenantId, record.Id, Scopes.HighestOf(record.Scopes)), Convert.FromHexString(record.KeyHash), record.ExpiresAt);

    public bool IsUsable(DateTimeOffset now) => expiresAt is null || now < expiresAt;

    /// <summary>Whether its last use came from this address.</summary>
    public bool WasUsedFrom(IPAddress address) => address.Equals(Volatile.Read(ref _lastAddress));

    public void UseFrom(IPAddress address)
    {
        if (!WasUsedFrom(address))
        {
            Volatile.Write(ref _lastAddress, address);
        }
    }
}
