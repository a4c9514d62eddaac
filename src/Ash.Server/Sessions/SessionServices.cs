using Ash.Runner.Workspaces;
using Ash.Server.Agents;
using Ash.Server.Configuration;
using Ash.Server.Events;
using Ash.Server.Runners;
using Ash.Server.Storage;
using Ash.Server.Telemetry;
using Ash.Server.Warm;

namespace Ash.Server.Sessions;

/// <summary>What every session's runtime uses.</summary>
internal sealed record SessionServices(
    StoreWriter Writer,
    EventStore Events,
    TurnStore Turns,
    Conversation Conversation,
    EventTails Tails,
    SandboxStarter Starter,
    SandboxDirectory Sandboxes,
    SandboxPlaces Places,
    PoolCounters Counters,
    SessionTelemetry Telemetry,
    WarmSandboxes Warm,
    CliStarts CliStarts,
    WorkspaceStore Workspaces,
    AgentContentStore Contents,
    SealedSessions Sealed,
    ServerSettings Settings,
    TimeProvider Clock,
    ILoggerFactory Loggers);
