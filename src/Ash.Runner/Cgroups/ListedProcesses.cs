using Ash.Runner.Kernel;
using Microsoft.Win32.SafeHandles;

namespace Ash.Runner.Cgroups;

/// <summary>Processes that are known by their numbers alone.</summary>
internal static class ListedProcesses
{
    private const int OpenAtOnce = 64;

    /// <summary>Kills what is listed, and nobody who has got the number of a process that ended meanwhile.</summary>
    /// <param name="list">Asked again once the processes are held: a number that is still listed then is the held process's, or that has ended.</param>
    public static void Kill(Func<IReadOnlySet<int>> list)
    {
        foreach (var pids in list().Chunk(OpenAtOnce))
        {
            var held = Array.ConvertAll(pids, Libc.OpenProcess);
            try
            {
                var listed = list();
                foreach (var (pid, process) in pids.Zip(held))
                {
                    if (!process.IsInvalid && listed.Contains(pid))
                    {
                        Libc.SignalProcess(process, Libc.SigKill);
                    }
                }
            }
            finally
            {
                Array.ForEach<SafeFileHandle>(held, process => process.Dispose());
            }
        }
    }
}
