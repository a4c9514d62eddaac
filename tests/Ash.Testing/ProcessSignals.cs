using System.Runtime.InteropServices;

namespace Ash.Testing;

/// <summary>Signals to processes that a test started. By the system call: a minimal system has no program for it.</summary>
public static partial class ProcessSignals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;

    /// <summary>Harmless where the process has ended.</summary>
    public static void Send(int pid, int signal) => _ = SendSignal(pid, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int pid, int signal);
}
