namespace Ash.Server.Events;

/// <summary>What a row of the log is: a client's message, a line of the CLI, or a fact of Ash.</summary>
internal enum EventType
{
    Message,
    Cli,
    SessionCreated,
    SessionPaused,
    SessionWoken,
    SessionStopped,
    SessionEnded,
    SessionRepaired,
    TurnQueued,
    TurnStarted,
    TurnCompleted,
    SandboxStarted,
    SandboxLost,
    Resource,
    Egress,
    Budget,
    Error,
}
