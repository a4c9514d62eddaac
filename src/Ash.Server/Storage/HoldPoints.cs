using System.Diagnostics;

namespace Ash.Server.Storage;

/// <summary>The places where a fault test stops the server for good before it kills it.</summary>
internal enum HoldPoint
{
    BeforeCommit,
    AfterCommit,
    BeforeAcknowledge,
    AfterClaim,
}

/// <summary>Compiled into the test host only: the product has no call of it.</summary>
internal static partial class HoldPoints
{
    [Conditional("ASH_HOLD_POINTS")]
    public static void Reach(HoldPoint point) => Hold(point);

    static partial void Hold(HoldPoint point);
}
