using System.Net;
using Ash.Server.Storage;

namespace Ash.Server.Access;

/// <summary>A key in memory, as every request needs it.</summary>
internal sealed class ActiveKey
{
    /// <summary>Later ends do not fit a timer; what is open does not stay open for so long.</summary>
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(40);

    private readonly byte[] _hash;
    private readonly DateTimeOffset? _expiresAt;
    private readonly CancellationTokenSource _over;
    private IPAddress? _lastAddress;

    public ActiveKey(Caller caller, byte[] hash, DateTimeOffset? expiresAt, TimeProvider clock)
    {
        Caller = caller;
        _hash = hash;
        _expiresAt = expiresAt;
        _over = expiresAt - clock.GetUtcNow() is { } left && left > TimeSpan.Zero && left < LongestTimer
            ? new CancellationTokenSource(left, clock)
            : new CancellationTokenSource();
    }

    public Caller Caller { get; }

    /// <summary>SHA-256 of its text.</summary>
    public ReadOnlySpan<byte> Hash => _hash;

    /// <summary>Cancelled once it has expired or was deleted: what it opened ends with it.</summary>
    public CancellationToken Over => _over.Token;

    public static ActiveKey Of(ApiKeyRecord record, TimeProvider clock) => new(
        new Caller(record.TenantId, record.Id, Scopes.HighestOf(record.Scopes)),
        Convert.FromHexString(record.KeyHash),
        record.ExpiresAt,
        clock);

    public bool IsUsable(DateTimeOffset now) => _expiresAt is null || now < _expiresAt;

    /// <summary>Ends what was opened with it.</summary>
    public void End() => _over.Cancel();

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
