namespace Ash.Server.Events;

/// <summary>Which rows a reader wants. A row is sent whole or not at all, so that ids never depend on the filter.</summary>
/// <param name="Partial">Whether lines that only partial messages bring are wanted.</param>
/// <param name="Lifecycle">Whether rows are wanted whose only frame is <c>lifecycle</c>.</param>
/// <param name="TurnId">The only turn that is wanted, or null for all and what belongs to none.</param>
internal readonly record struct EventFilter(bool Partial, bool Lifecycle, Guid? TurnId = null)
{
    public static EventFilter All => new(Partial: true, Lifecycle: true);

    public bool Matches(EventFlags flags, Guid? turnId) =>
        (Partial || (flags & EventFlags.Partial) == 0)
        && (Lifecycle || (flags & EventFlags.Lifecycle) == 0)
        && (TurnId is null || TurnId == turnId);
}
