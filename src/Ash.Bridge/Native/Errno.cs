using System.Runtime.InteropServices;

namespace Ash.Bridge.Native;

/// <summary>The error numbers that are looked at, and their names for people.</summary>
internal static class Errno
{
    internal const int Interrupted = 4;
    internal const int Again = 11;

    internal static int Last => Marshal.GetLastPInvokeError();

    internal static string Text(int number) => Marshal.GetPInvokeErrorMessage(number);
}
