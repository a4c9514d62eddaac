using Ash.Bridge.Native;

namespace Ash.Bridge.Processes;

/// <summary>The bridge's own standard streams.</summary>
internal static class StandardStreams
{
    /// <summary>Lets go of the log on the host: from now on everything goes by frames.</summary>
    internal static void Silence()
    {
        var nothing = Libc.Open("/dev/null", Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        if (nothing < 0)
        {
            return;
        }

        for (var stream = 0; stream <= Descriptor.StandardError; stream++)
        {
            Libc.Duplicate(nothing, stream);
        }

        Descriptor.Close(ref nothing);
    }
}
