namespace Ash.Bridge.Processes;

/// <summary>How a process ended: by itself or by a signal.</summary>
internal readonly record struct ExitStatus(int? Code, int? Signal)
{
    /// <summary>From the number that <c>waitpid</c> gives.</summary>
    internal static ExitStatus From(int status) =>
        (status & 0x7f) is > 0 and var signal ? new(null, signal) : new((status >> 8) & 0xff, null);
}
