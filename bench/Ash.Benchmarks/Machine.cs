using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Ash.Testing;

namespace Ash.Benchmarks;

/// <summary>What the kernel says of this machine and of a process on it.</summary>
internal static partial class Machine
{
    private const int OpenFiles = 7;

    public static string Processor => File.ReadLines("/proc/cpuinfo")
        .First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim();

    public static string Kernel => File.ReadAllText("/proc/sys/kernel/osrelease").Trim();

    public static long MemoryMb => (long)Megabytes("/proc/meminfo", "MemTotal");

    public static long FreeMemoryMb => (long)Megabytes("/proc/meminfo", "MemAvailable");

    /// <summary>What is checked out, with a mark where more than the results differs from it.</summary>
    public static string Commit =>
        Git("rev-parse", "--short=12", "HEAD") + (Git("status", "--porcelain", "--", ":/", ":!/bench/results").Length > 0 ? " with changes" : "");

    /// <summary>The monotonic clock that the stand-in's stamps are of.</summary>
    public static long Nanoseconds() => Stopwatch.GetTimestamp() * (1_000_000_000 / Stopwatch.Frequency);

    /// <summary>Time that the process has had on any core.</summary>
    public static TimeSpan CpuTimeOf(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return process.TotalProcessorTime;
    }

    /// <summary>A line of <c>/proc/PID/smaps_rollup</c> or <c>status</c>, in MB.</summary>
    public static double MegabytesOf(int pid, string file, string name) => Megabytes($"/proc/{pid}/{file}", name);

    /// <summary>Raises a process's limit of open files, where it is lower.</summary>
    public static void AllowOpenFiles(int pid, ulong count)
    {
        if (Limit(pid, OpenFiles, 0, out var limit) == 0 && limit.Soft < count)
        {
            var raised = new ResourceLimit(count, Math.Max(count, limit.Hard));
            if (Limit(pid, OpenFiles, in raised, 0) != 0)
            {
                throw new InvalidOperationException($"Process {pid} may not open {count} files: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
    }

    private static double Megabytes(string path, string name)
    {
        var line = File.ReadLines(path).First(line => line.StartsWith(name + ":", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    private static string Git(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("git", ["-C", TestPaths.Root, .. arguments]) { RedirectStandardOutput = true })!; // Not by the shell.
        var output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return output;
    }

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static partial int Limit(int pid, int resource, nint none, out ResourceLimit current);

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static partial int Limit(int pid, int resource, in ResourceLimit next, nint none);

    private readonly record struct ResourceLimit(ulong Soft, ulong Hard);
}
