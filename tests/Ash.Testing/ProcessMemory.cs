using System.Globalization;

namespace Ash.Testing;

/// <summary>What the kernel says of a process' memory.</summary>
public static class ProcessMemory
{
    /// <param name="pid">The process.</param>
    /// <param name="name">A line of its <c>status</c>: <c>VmRSS</c> is what it has, <c>VmHWM</c> the most that it had.</param>
    public static long KbOf(int pid, string name)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith($"{name}:", StringComparison.Ordinal));
        return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
