using Ash.Bridge.Native;

namespace Ash.Bridge.Processes;

/// <summary>The two ends of pipes for a process that is about to start.</summary>
internal struct Pipes
{
    internal int Ours;
    internal int Theirs;

    /// <summary>A pipe that the process reads from.</summary>
    internal static bool TryOpenInput(out Pipes pipe)
    {
        pipe = default;
        return Descriptor.TryPipe(out pipe.Theirs, out pipe.Ours);
    }

    /// <summary>A pipe that the process writes to.</summary>
    internal static bool TryOpenOutput(out Pipes pipe)
    {
        pipe = default;
        return Descriptor.TryPipe(out pipe.Ours, out pipe.Theirs);
    }

    internal void Close()
    {
        Descriptor.Close(ref Ours);
        Descriptor.Close(ref Theirs);
    }
}
