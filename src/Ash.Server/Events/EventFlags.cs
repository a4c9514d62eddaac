namespace Ash.Server.Events;

/// <summary>What a reader must know of a row to decide whether it wants it, without looking into its payload.</summary>
[Flags]
internal enum EventFlags
{
    None = 0,

    /// <summary>A line of the CLI that exists only because partial messages are on.</summary>
    Partial = 1,

    /// <summary>A row whose only frame is <c>lifecycle</c>.</summary>
    Lifecycle = 2,

    /// <summary>The last row of its turn.</summary>
    TurnEnd = 4,
}
