using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Ash.Server.Configuration;

namespace Ash.Server.Access;

/// <summary>Counts wrong keys and secrets by the address that they came from, so that nobody guesses fast.</summary>
internal sealed partial class FailedKeys(ServerSettings settings, TimeProvider clock, ILogger<FailedKeys> logger)
{
    private const int MaxAddresses = 10_000;

    private readonly RateWindows<IPAddress>? _failures = settings.FailedKeyLimit == 0
        ? null
        : new RateWindows<IPAddress>(settings.FailedKeyLimit, settings.RateLimitWindow, clock, MaxAddresses);

    private long _total;

    /// <summary>Since the server's start.</summary>
    public long Total => Interlocked.Read(ref _total);

    /// <summary>How long nobody gets in from there, whatever the key; null where it is looked at.</summary>
    public TimeSpan? WaitOf(IPAddress address) =>
        _failures?.Look(address) is { IsExceeded: true } window ? window.Reset : null;

    public void Count(IPAddress address)
    {
        var total = Interlocked.Increment(ref _total);
        if (_failures is null)
        {
            LogIfNotable(address, total);
            return;
        }

        var window = _failures.Take(address);
        if (!window.IsExceeded)
        {
            LogIfNotable(address, window.Limit - window.Remaining);
        }

        if (window is { Remaining: 0, IsExceeded: false })
        {
            LogShut(address, window.Reset.TotalSeconds);
        }
    }

    /// <summary>Where a request comes from: of IPv6 the network, which is what one party has at least.</summary>
    public static IPAddress AddressOf(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } address)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    /// <remarks>Somebody may try thousands a minute: the log names the first, and then only how the number grows.</remarks>
    private void LogIfNotable(IPAddress address, long failed)
    {
        if (BitOperations.IsPow2(failed))
        {
            LogFailed(address, failed);
        }
    }

    [LoggerMessage(LogLevel.Warning, "A wrong key came from {Address} (so far: {Failed})")]
    private partial void LogFailed(IPAddress address, long failed);

    [LoggerMessage(LogLevel.Warning, "Too many wrong keys came from {Address}; no new one is looked at for {Seconds:0} s")]
    private partial void LogShut(IPAddress address, double seconds);
}
