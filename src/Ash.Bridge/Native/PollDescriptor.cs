using System.Runtime.InteropServices;

namespace Ash.Bridge.Native;

/// <summary>The kernel's <c>struct pollfd</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollDescriptor
{
    internal int Descriptor;
    internal PollEvents Requested;
    internal PollEvents Returned;
}

/// <summary>What to wait for, and what came.</summary>
[Flags]
internal enum PollEvents : short
{
    None = 0,
    Readable = 0x1,
    Writable = 0x4,
    Error = 0x8,
    HungUp = 0x10,
    Invalid = 0x20,
}
