using Ash.Bridge.Native;

namespace Ash.Bridge.Loop;

/// <summary>A descriptor that the loop watches for its owner.</summary>
internal interface IPollable
{
    /// <summary><see cref="Native.Descriptor.None"/> once it is closed.</summary>
    int Descriptor { get; }

    /// <summary>Asked before each wait. Where it is none the descriptor is not looked at, not even for its end.</summary>
    PollEvents Interest { get; }

    /// <summary>Does one bounded piece of work.</summary>
    void OnReady(PollEvents events);
}
