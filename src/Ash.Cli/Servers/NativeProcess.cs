using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Ash.Cli.Servers;

/// <summary>Starts and ends processes in the ways that <see cref="System.Diagnostics.Process"/> does not offer.</summary>
internal static unsafe partial class NativeProcess
{
    // Larger than glibc's and musl's opaque structures.
    private const int OpaqueBytes = 512;

    private const short SetSignalDefaults = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;
    private const int WriteOnly = 0x1;
    private const int Create = 0x40;
    private const int Append = 0x400;
    private const int NoHang = 1;
    private const int SigTerm = 15;

    /// <summary>Becomes another program, with the same pid, terminal and streams. Returns only by an exception.</summary>
    /// <exception cref="CliException">The program cannot be run.</exception>
    public static int Become(ServerProgram program, IReadOnlyDictionary<string, string> environment)
    {
        using var arguments = new NativeStrings([program.Path, .. program.Arguments]);
        using var variables = NativeStrings.Environment(environment);
        ExecVpe(program.Path, arguments.Pointer, variables.Pointer);
        throw CannotRun(program, Marshal.GetLastPInvokeError());
    }

    /// <summary>Starts a program in a session of its own, so that it outlives this process and its terminal.</summary>
    /// <param name="logFile">Gets its standard output and error, appended.</param>
    /// <returns>Its pid.</returns>
    /// <exception cref="CliException">The program cannot be run.</exception>
    public static int StartDetached(ServerProgram program, IReadOnlyDictionary<string, string> environment, string logFile)
    {
        var actions = stackalloc byte[OpaqueBytes];
        var attributes = stackalloc byte[OpaqueBytes];
        var signals = stackalloc byte[OpaqueBytes];

        Check(FileActionsInit(actions));
        Check(AttributesInit(attributes));

        try
        {
            Check(AddOpen(actions, 0, "/dev/null", 0, 0));
            Check(AddOpen(actions, 1, logFile, WriteOnly | Create | Append, 0b110_000_000));
            Check(AddDup2(actions, 1, 2));

            // A lock that whoever starts the server has open would be held for as long as the server runs.
            Check(AddCloseFrom(actions, 3));

            // This runtime ignores SIGPIPE, which a child would inherit.
            Check(SigFillSet(signals));
            Check(AttributesSetDefaults(attributes, signals));
            Check(SigEmptySet(signals));
            Check(AttributesSetMask(attributes, signals));
            Check(AttributesSetFlags(attributes, SetSession | SetSignalDefaults | SetSignalMask));

            using var arguments = new NativeStrings([program.Path, .. program.Arguments]);
            using var variables = NativeStrings.Environment(environment);
            var error = SpawnP(out var pid, program.Path, actions, attributes, arguments.Pointer, variables.Pointer);
            return error == 0 ? pid : throw CannotRun(program, error);
        }
        finally
        {
            FileActionsDestroy(actions);
            AttributesDestroy(attributes);
        }
    }

    /// <summary>Whether a child of this process has ended; collects it then.</summary>
    public static bool HasEnded(int childPid) => WaitPid(childPid, null, NoHang) == childPid;

    /// <summary>Asks a process to end; false where there is none of that pid.</summary>
    /// <exception cref="CliException">It belongs to somebody else.</exception>
    public static bool Terminate(int pid)
    {
        const int NoSuchProcess = 3;

        if (Kill(pid, SigTerm) == 0)
        {
            return true;
        }

        var error = Marshal.GetLastPInvokeError();
        return error == NoSuchProcess
            ? false
            : throw new CliException($"The server (pid {pid}) cannot be stopped: {new Win32Exception(error).Message}.");
    }

    private static CliException CannotRun(ServerProgram program, int error) =>
        new($"{program.Path} cannot be run: {new Win32Exception(error).Message}.");

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new Win32Exception(error);
        }
    }

    [LibraryImport("libc", EntryPoint = "execvpe", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ExecVpe(string file, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawnp", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SpawnP(
        out int pid, string file, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int FileActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int FileActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDup2(byte* actions, int descriptor, int target);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    private static partial int AddCloseFrom(byte* actions, int firstDescriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int AttributesSetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int AttributesSetDefaults(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int AttributesSetMask(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int SigFillSet(byte* signals);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int SigEmptySet(byte* signals);

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitPid(int pid, int* status, int options);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
