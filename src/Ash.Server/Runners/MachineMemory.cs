using System.Globalization;
using Ash.Server.Configuration;

namespace Ash.Server.Runners;

/// <summary>Whether this machine has memory for one more sandbox, by what the kernel says it could give out.</summary>
internal class MachineMemory(ServerSettings settings)
{
    /// <summary>What a sandbox takes within its first seconds: the CLI alone is above 150 MB.</summary>
    private const long StartBytes = 256L * 1024 * 1024;

    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(5);
    private readonly Queue<DateTimeOffset> _recent = new();

    /// <summary>Counts a sandbox that starts now. One at a time: the caller's lock.</summary>
    /// <returns>False where it would leave less than is to stay free.</returns>
    public bool TryReserve(DateTimeOffset now)
    {
        if (settings.MemoryReserveMb == 0)
        {
            return true;
        }

        while (_recent.TryPeek(out var start) && start + StartTime < now)
        {
            _recent.Dequeue();
        }

        // Those that are just starting have not taken yet what they will.
        if (AvailableBytes() - ((_recent.Count + 1) * StartBytes) < settings.MemoryReserveMb * 1024L * 1024L)
        {
            return false;
        }

        _recent.Enqueue(now);
        return true;
    }

    /// <summary>The kernel's <c>MemAvailable</c>.</summary>
    protected virtual long AvailableBytes()
    {
        foreach (var line in File.ReadLines("/proc/meminfo"))
        {
            if (line.StartsWith("MemAvailable:", StringComparison.Ordinal))
            {
                var kilobytes = line.AsSpan("MemAvailable:".Length).Trim().TrimEnd("kB").Trim();
                return long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
            }
        }

        return long.MaxValue;
    }
}
