namespace Ash.Server.Events;

/// <summary>The lines of the CLI that Ash acts on. The set of types grows: what is not named here passes through.</summary>
internal enum CliLineKind
{
    Other,

    /// <summary>Any <c>system</c> line that is not one of the three below.</summary>
    System,
    Init,
    Status,
    SessionStateChanged,
    Assistant,
    User,
    Result,
    StreamEvent,
    ControlRequest,
    ControlResponse,
    ControlCancelRequest,
    KeepAlive,
    CommandLifecycle,
    ConversationReset,
}
