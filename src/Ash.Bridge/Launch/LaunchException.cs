using Ash.Bridge.Native;

namespace Ash.Bridge.Launch;

/// <summary>A step of the launch failed. The message is the one line that the server gets to see.</summary>
internal sealed class LaunchException(string message) : Exception(message)
{
    /// <summary>Throws unless a call of the C library reported success.</summary>
    internal static int ThrowIfFailed(int result, string step) =>
        result >= 0 ? result : throw new LaunchException($"{step}: {Errno.Text(Errno.Last)}");
}
