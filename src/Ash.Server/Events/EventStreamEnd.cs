namespace Ash.Server.Events;

/// <summary>Why a stream ended.</summary>
internal enum EventStreamEnd
{
    /// <summary>All that was asked for is written: the turn's <c>done</c>, or the last row that was named.</summary>
    Reached,

    /// <summary>Nothing runs or waits, and all that happened is written.</summary>
    Idle,

    /// <summary>The session is gone.</summary>
    SessionGone,

    /// <summary>The client is gone, or the server stops.</summary>
    Left,
}
