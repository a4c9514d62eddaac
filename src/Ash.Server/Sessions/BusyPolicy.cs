namespace Ash.Server.Sessions;

/// <summary>What becomes of a message while a turn runs or waits.</summary>
internal enum BusyPolicy
{
    /// <summary>It waits for its turn.</summary>
    Enqueue,

    /// <summary>It is refused.</summary>
    Reject,

    /// <summary>The running turn is asked to end, and it waits for its own.</summary>
    Interrupt,

    /// <summary>It is given to the running turn, and shares its outcome; where none has begun it waits for its own.</summary>
    Steer,
}

internal static class BusyPolicies
{
    /// <summary>By its word; null for another word.</summary>
    public static BusyPolicy? Parse(string word) => word switch
    {
        "enqueue" => BusyPolicy.Enqueue,
        "reject" => BusyPolicy.Reject,
        "interrupt" => BusyPolicy.Interrupt,
        "steer" => BusyPolicy.Steer,
        _ => null,
    };
}
