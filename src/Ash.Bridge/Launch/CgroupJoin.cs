using Ash.Bridge.Native;
using static Ash.Bridge.Launch.LaunchException;

namespace Ash.Bridge.Launch;

/// <summary>Cgroups that a thread of its own joins, for the whole process.</summary>
internal sealed class CgroupJoin
{
    private readonly Thread? _thread;
    private LaunchException? _failure;

    private CgroupJoin(string[] files)
    {
        if (files.Length > 0)
        {
            _thread = new Thread(() => TryJoin(files));
            _thread.Start();
        }
    }

    internal static CgroupJoin Start(string[] files) => new(files);

    /// <summary>Moves the calling thread, or with it the whole process, into the cgroups of these files.</summary>
    internal static void Join(IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            var descriptor = ThrowIfFailed(Libc.Open(file, Libc.OpenWriteOnly | Libc.OpenCloseOnExec, 0), $"open {file}");
            ThrowIfFailed(Descriptor.Write(descriptor, "0"u8), $"join {file}");
            Descriptor.Close(ref descriptor);
        }
    }

    /// <summary>Returns when all are joined.</summary>
    internal void Wait()
    {
        _thread?.Join();
        if (_failure is not null)
        {
            throw _failure;
        }
    }

    private void TryJoin(string[] files)
    {
        try
        {
            Join(files);
        }
        catch (LaunchException failure)
        {
            _failure = failure;
        }
    }
}
