using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Kernel;

/// <summary>One process beyond doubt: a pidfd never means another process that got the same number later.</summary>
internal sealed class ProcessHandle : IDisposable
{
    private const int IdTypePidfd = 3;
    private const int WaitNoHang = 1;
    private const int WaitExited = 4;

    private ProcessHandle(int pid, long start, SafeFileHandle descriptor)
    {
        Pid = pid;
        Start = start;
        Descriptor = descriptor;
    }

    public int Pid { get; }

    /// <summary>Clock ticks since boot.</summary>
    public long Start { get; }

    public SafeFileHandle Descriptor { get; }

    /// <summary>Whether all its threads have; for pid 1 of a namespace, whether everything in it has.</summary>
    /// <remarks>Not what <c>/proc/PID/stat</c> says: that is the first thread's state, and the others may live on.</remarks>
    public bool HasEnded => IsOver(Descriptor);

    /// <summary>Null where there is no such process, where it has ended, or where it did not start at <paramref name="start"/>.</summary>
    public static ProcessHandle? TryOpen(int pid, long? start = null) => TryOpen(pid, start, evenEnded: false);

    /// <summary>Of a child that nobody else reaps, so it is there even if it has ended.</summary>
    public static ProcessHandle OpenChild(int pid) =>
        TryOpen(pid, start: null, evenEnded: true) ?? throw new Win32Exception(Libc.NoProcess);

    private static ProcessHandle? TryOpen(int pid, long? start, bool evenEnded)
    {
        if (pid <= 1)
        {
            return null;
        }

        var descriptor = Libc.OpenProcess(pid);

        // Read after the descriptor is held: were the pid another process's by now, its start would differ.
        if (descriptor.IsInvalid
            || ProcessStart.Read(pid) is not { } found
            || (!evenEnded && IsOver(descriptor))
            || (start is { } expected && found != expected))
        {
            descriptor.Dispose();
            return null;
        }

        return new ProcessHandle(pid, found, descriptor);
    }

    /// <summary>Harmless where it has ended.</summary>
    public void Kill() => Libc.SignalProcess(Descriptor, Libc.SigKill);

    /// <summary>Takes the exit status of an ended child, which makes it vanish; null where it runs or is not our child.</summary>
    /// <returns>The exit status, or 128 + the signal that ended it.</returns>
    public int? TryReap()
    {
        Span<byte> info = stackalloc byte[128];
        info.Clear();
        if (Libc.WaitFor(IdTypePidfd, (int)Descriptor.DangerousGetHandle(), info, WaitExited | WaitNoHang, 0) != 0
            || MemoryMarshal.Read<int>(info) == 0)
        {
            return null;
        }

        // siginfo_t of SIGCHLD on x86-64: si_code at 8 (CLD_EXITED is 1), si_status at 24.
        var status = BinaryPrimitives.ReadInt32LittleEndian(info[24..]);
        return BinaryPrimitives.ReadInt32LittleEndian(info[8..]) == 1 ? status : 128 + status;
    }

    public void Dispose() => Descriptor.Dispose();

    private static bool IsOver(SafeFileHandle process) => (Libc.Poll(process, Libc.PollReadable) & Libc.PollReadable) != 0;
}
