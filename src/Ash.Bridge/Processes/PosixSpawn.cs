using System.Text;
using Ash.Bridge.Native;

namespace Ash.Bridge.Processes;

/// <summary>Starts a process with default signals, no descriptor but its three, and a session of its own.</summary>
internal static unsafe class PosixSpawn
{
    private const short Flags = Libc.SpawnSetSession | Libc.SpawnSetSignalDefaults | Libc.SpawnSetSignalMask;

    /// <summary>0, or the error number where there is no new process.</summary>
    internal static int Start(SpawnRequest request, string directory, out int process)
    {
        var actions = stackalloc byte[Libc.OpaqueBytes];
        var attributes = stackalloc byte[Libc.OpaqueBytes];
        var signals = stackalloc byte[Libc.OpaqueBytes];

        Libc.InitializeSpawnActions(actions);
        Libc.InitializeSpawnAttributes(attributes);
        try
        {
            new Span<byte>(signals, Libc.OpaqueBytes).Fill(0xff);
            Libc.SetSpawnSignalDefaults(attributes, signals);
            new Span<byte>(signals, Libc.OpaqueBytes).Clear();
            Libc.SetSpawnSignalMask(attributes, signals);
            Libc.SetSpawnFlags(attributes, Flags);

            Libc.AddSpawnDuplicate(actions, request.Input, 0);
            Libc.AddSpawnDuplicate(actions, request.Output, 1);
            Libc.AddSpawnDuplicate(actions, request.Error, 2);
            Libc.AddSpawnCloseFrom(actions, 3);
            fixed (byte* path = Encoding.UTF8.GetBytes(directory + '\0'))
            {
                Libc.AddSpawnDirectory(actions, path);
            }

            using var arguments = new NativeStrings(request.Arguments);
            using var environment = new NativeStrings([.. request.Environment.Select(pair => $"{pair.Key}={pair.Value}")]);
            return Libc.Spawn(out process, arguments.Pointer[0], actions, attributes, arguments.Pointer, environment.Pointer);
        }
        finally
        {
            Libc.DestroySpawnAttributes(attributes);
            Libc.DestroySpawnActions(actions);
        }
    }
}
