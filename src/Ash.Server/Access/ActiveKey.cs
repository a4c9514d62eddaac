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
    private readonly ActiveKey? _before;
    private IPAddress? _lastAddress;

    /// <param name="caller">Who comes in with it.</param>
    /// <param name="hash">SHA-256 of its text.</param>
    /// <param name="expiresAt">From then on nobody gets in with it; null for never.</param>
    /// <param name="clock">What the time is.</param>
    /// <param name="before">The same key as it was before a change that has left what it opened open; null where there was none.</param>
    public ActiveKey(Caller caller, byte[] hash, DateTimeOffset? expiresAt, TimeProvider clock, ActiveKey? before = null)
    {
        _before = before;
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

    /// <summary>Cancelled once it has expired, was deleted or may do less: what it opened ends with that.</summary>
    public CancellationToken Over => _over.Token;

    public static ActiveKey Of(ApiKeyRecord record, TimeProvider clock, ActiveKey? before = null) => new(
        new Caller(record.TenantId, record.Id, Scopes.HighestOf(record.Scopes)),
        Convert.FromHexString(record.KeyHash),
        record.ExpiresAt,
        clock,
        before);

    public bool IsUsable(DateTimeOffset now) => _expiresAt is null || now < _expiresAt;

    /// <summary>Ends what was opened with it.</summary>
    public void End()
    {
        _over.Cancel();
        _before?.End();
    }

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
