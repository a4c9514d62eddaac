namespace Ash.Server.Sessions;

/// <summary>Why a turn ended (design 4.2). Stored and sent in snake case.</summary>
internal enum TurnReason
{
    Completed,
    Interrupted,
    MaxTurns,
    Budget,
    ModelError,
    OutputInvalid,
    AgentError,
    SandboxLost,
    Timeout,
    Cancelled,
}
