namespace Ash.Server.Events;

/// <summary>What a client wants to see of a session.</summary>
/// <param name="Cursor">Where it reads on; not beyond the head, which the caller checks.</param>
/// <param name="Filter">Which rows it wants. With a turn, the stream ends after that turn's <c>done</c>.</param>
/// <param name="UntilIdle">Whether the stream ends when nothing runs or waits.</param>
/// <param name="Until">
/// Whether the stream ends once it has come this far: for a turn that has ended already, its last row, so that a client that
/// has seen its <c>done</c> does not wait for another.
/// </param>
internal readonly record struct EventStreamRequest(
    EventCursor Cursor, EventFilter Filter, bool UntilIdle = false, long? Until = null);
