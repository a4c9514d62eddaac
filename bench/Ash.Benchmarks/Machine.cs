using System.Diagnostics;
using System.Globalization;

namespace Ash.Benchmarks;

/// <summary>What the kernel says of this machine and of a process on it.</summary>
internal static class Machine
{
    public static string Repository { get; } = FindRepository();

    public static string StandIn => Path.Combine(Repository, "artifacts", "publish", "ash-stand-in", "ash-stand-in");

    public static string Processor => File.ReadLines("/proc/cpuinfo")
        .First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim();

    /// <summary>The monotonic clock that the stand-in's stamps are of.</summary>
    public static long Nanoseconds() => Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    /// <summary>Time that the process has had on any core.</summary>
    public static TimeSpan CpuTimeOf(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return process.TotalProcessorTime;
    }

    /// <summary>A line of <c>/proc/PID/smaps_rollup</c> or <c>status</c>, in MB.</summary>
    public static double MegabytesOf(int pid, string file, string name)
    {
        var line = File.ReadLines($"/proc/{pid}/{file}").First(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    private static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Ash.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Not inside the repository.");
        }

        return folder;
    }
}
