namespace Ash.Bridge.Native;

/// <summary>What signals do to this process.</summary>
internal static class Signals
{
    private const int Kill = 9;
    private const int Child = 17;
    private const int Stop = 19;
    private const int LibraryCancel = 32;
    private const int LibrarySetIds = 33;
    private const int RuntimeSuspend = 34;

    /// <summary>Makes pid 1 of a sandbox deaf: nothing inside can end, stop or disturb it.</summary>
    /// <remarks>
    /// Left alone: those that cannot be ignored, SIGCHLD (ignoring it would lose exit statuses), the C library's 33 and
    /// the runtime's 34 (its handler looks only at signals of its own process). The C library does not let go of 32; the
    /// kernel does. With SIGSEGV ignored a null reference ends the process instead of raising an exception.
    /// </remarks>
    internal static unsafe void IgnoreAll()
    {
        for (var signal = 1; signal <= Libc.LastSignal; signal++)
        {
            if (signal is not (Kill or Child or Stop or LibraryCancel or LibrarySetIds or RuntimeSuspend))
            {
                Libc.SetSignal(signal, Libc.IgnoreSignal);
            }
        }

        var action = stackalloc nint[4] { Libc.IgnoreSignal, 0, 0, 0 }; // handler, flags, restorer, mask
        Libc.SystemCall(Libc.SystemCallSignalAction, LibraryCancel, action, null, sizeof(ulong));
    }

    /// <summary>As a program expects to find them: every signal has its default effect, none is blocked.</summary>
    internal static unsafe void ResetAll()
    {
        for (var signal = 1; signal <= Libc.LastSignal; signal++)
        {
            Libc.SetSignal(signal, Libc.DefaultSignal); // Refused for the few that have no other effect anyway.
        }

        var none = stackalloc byte[Libc.OpaqueBytes];
        new Span<byte>(none, Libc.OpaqueBytes).Clear();
        Libc.SetBlockedSignals(Libc.SetSignalMask, none, null);
    }
}
