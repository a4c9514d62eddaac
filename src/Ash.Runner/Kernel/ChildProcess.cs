using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Ash.Runner.Kernel;

/// <summary>Starts a child with an empty environment, default signals and files as standard streams.</summary>
/// <remarks>
/// <see cref="System.Diagnostics.Process"/> costs a waiting thread for every 63 children and keeps the exit status to
/// itself; these children are watched by pidfd and reaped by <see cref="ProcessHandle.TryReap"/>.
/// </remarks>
internal static unsafe class ChildProcess
{
    private const short SetSignalMask = 0x08;
    private const short SetDefaultSignals = 0x04;

    // glibc's opaque types take 80, 336 and 128 bytes.
    private const int OpaqueBytes = 512;

    /// <summary>Starts <paramref name="program"/>; its standard output and error go to a new file.</summary>
    /// <exception cref="Win32Exception">It could not be started.</exception>
    public static ProcessHandle Start(string program, IReadOnlyList<string> arguments, string outputFile)
    {
        Span<byte> memory = stackalloc byte[3 * OpaqueBytes];
        memory.Clear();
        fixed (byte* start = memory)
        {
            var actions = (nint)start;
            var attributes = actions + OpaqueBytes;
            var signals = attributes + OpaqueBytes;

            Check(Libc.InitialiseActions(actions));
            Check(Libc.InitialiseAttributes(attributes));
            try
            {
                const int WriteCreate = 0x1 | 0x40 | 0x200;
                Check(Libc.AddOpen(actions, 0, "/dev/null", Libc.OpenReadOnly, 0));
                Check(Libc.AddOpen(actions, 1, outputFile, WriteCreate, 0x180 /* 0600 */));
                Check(Libc.AddDuplicate(actions, 1, 2));
                Check(Libc.SetSignalMask(attributes, signals));
                new Span<byte>((void*)signals, OpaqueBytes).Fill(0xff);
                Check(Libc.SetDefaultSignals(attributes, signals));
                Check(Libc.SetFlags(attributes, SetSignalMask | SetDefaultSignals));
                return Start(program, [program, .. arguments], actions, attributes);
            }
            finally
            {
                Libc.DestroyAttributes(attributes);
                Libc.DestroyActions(actions);
            }
        }
    }

    private static ProcessHandle Start(string program, string[] arguments, nint actions, nint attributes)
    {
        var texts = Array.ConvertAll(arguments, Marshal.StringToCoTaskMemUTF8);
        try
        {
            nint[] vector = [.. texts, 0];
            nint noEnvironment = 0;
            fixed (nint* first = vector)
            {
                Check(Libc.Spawn(out var pid, program, actions, attributes, (nint)first, (nint)(&noEnvironment)));
                return ProcessHandle.OpenChild(pid);
            }
        }
        finally
        {
            Array.ForEach(texts, Marshal.FreeCoTaskMem);
        }
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new Win32Exception(error);
        }
    }
}
