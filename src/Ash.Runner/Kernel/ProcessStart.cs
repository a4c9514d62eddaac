using System.Globalization;

namespace Ash.Runner.Kernel;

/// <summary>When a process started: together with its pid, what tells it from a later one with the same pid.</summary>
internal static class ProcessStart
{
    public static string BootId { get; } = File.Exists("/proc/sys/kernel/random/boot_id")
        ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()
        : string.Empty;

    /// <summary>Clock ticks since boot (<c>/proc/PID/stat</c>, field 22); null where there is no such process.</summary>
    public static long? Read(int pid)
    {
        string stat;
        try
        {
            stat = File.ReadAllText($"/proc/{pid}/stat");
        }
        catch (IOException)
        {
            return null;
        }

        // The second field is the program's name in brackets and may hold anything, brackets and spaces included.
        var fields = stat.AsSpan(stat.LastIndexOf(')') + 2);
        var index = 3;
        foreach (var field in fields.Split(' '))
        {
            if (index++ == 22)
            {
                return long.Parse(fields[field], CultureInfo.InvariantCulture);
            }
        }

        return null;
    }
}
