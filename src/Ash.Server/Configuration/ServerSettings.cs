using Ash.Runner.Sandboxes;
using Ash.Server.Storage.Postgres;
using Ash.Server.Telemetry;

namespace Ash.Server.Configuration;

/// <summary>What the operator has chosen, read once at start from arguments and environment.</summary>
internal sealed record ServerSettings
{
    public required string Host { get; init; }
    public required int Port { get; init; }

    /// <summary>Absolute; everything the server keeps is below it.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The Postgres database of the store; null for SQLite in the data folder.</summary>
    public PostgresAddress? Database { get; init; }

    /// <summary>The static key of the default tenant, or null.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Opens what is below <c>/api/internal</c>; null keeps it shut.</summary>
    public string? InternalSecret { get; init; }

    /// <summary>Credentials are sealed with a key that is derived from this; null takes the one in the data folder.</summary>
    public string? CredentialKey { get; init; }

    /// <summary>What credentials may still be sealed with; null where there is nothing.</summary>
    public IReadOnlyList<string>? PreviousCredentialKeys { get; init; }

    /// <summary>Pages of these origins may call the API; null for none, <c>*</c> alone for all.</summary>
    public IReadOnlyList<string>? CorsOrigins { get; init; }

    /// <summary>The time that requests are counted over.</summary>
    public required TimeSpan RateLimitWindow { get; init; }

    /// <summary>So many requests a key may send within the window; zero is without limit.</summary>
    public required int RateLimit { get; init; }

    /// <summary>So many deploys, and so many new sessions, a key may ask for within the window; zero is without limit.</summary>
    public required int CreateRateLimit { get; init; }

    /// <summary>So many wrong keys may come from an address within the window; zero is without limit.</summary>
    public required int FailedKeyLimit { get; init; }

    public required ModelChoice Model { get; init; }

    /// <summary>Script of the stand-in model, or null.</summary>
    public string? ModelScript { get; init; }

    /// <summary>The upstream of the broker; null stands for the Anthropic API.</summary>
    public Uri? ModelBaseUrl { get; init; }

    /// <summary>The model key of the host. It never leaves this process but towards the upstream.</summary>
    public string? ModelKey { get; init; }

    public required IsolationLevel Isolation { get; init; }

    /// <summary>The first host user of sandboxes; null where it follows from the data folder.</summary>
    public int? SandboxUidBase { get; init; }

    public required int SandboxMemoryMb { get; init; }

    /// <summary>So many sandboxes are there at once at most.</summary>
    public required int MaxSandboxes { get; init; }

    /// <summary>No sandbox starts that would leave less memory on the machine than this; zero does not look.</summary>
    public required int MemoryReserveMb { get; init; }

    /// <summary>A create or a resume waits for a place for so long; a message's turn waits as long as it takes.</summary>
    public required TimeSpan CapacityWait { get; init; }

    /// <summary>So many sandboxes wait for a session of each agent that is in use.</summary>
    public required int WarmSandboxes { get; init; }

    public required string PermissionMode { get; init; }
    public string? BridgeProgram { get; init; }
    public string? CliProgram { get; init; }

    /// <summary>Of the program that runs in the CLI's place; null for the pinned CLI's.</summary>
    public string? CliSha256 { get; init; }

    /// <summary>A paused session keeps its sandbox for so long.</summary>
    public required TimeSpan PauseGrace { get; init; }

    /// <summary>A session without a turn for so long is paused; zero never does.</summary>
    public required TimeSpan IdleTimeout { get; init; }

    public required TimeSpan TurnTimeout { get; init; }
    public required TimeSpan OrphanTimeout { get; init; }

    /// <summary>What one turn may add to the log.</summary>
    public required long TurnOutputBytes { get; init; }
    public required TimeSpan EndedRetention { get; init; }

    /// <summary>A turn's partial rows are kept for so long after its end.</summary>
    public required TimeSpan DeltaRetention { get; init; }
    public required ShutdownMode Shutdown { get; init; }

    /// <summary>So large may an attachment be.</summary>
    public required long MaxAttachmentBytes { get; init; }

    /// <summary>Below which folders of this machine deploys by path may read; null for all, empty for none.</summary>
    public IReadOnlyList<string>? DeployRoots { get; init; }

    /// <summary>What goes to an OpenTelemetry collector.</summary>
    public required OtlpSettings Otlp { get; init; }

    /// <summary>Whether turns and starts of sandboxes say on the standard error how long they took.</summary>
    public required bool DebugTiming { get; init; }

    /// <summary>Not what is in it: some of that is secret.</summary>
    public override string ToString() => nameof(ServerSettings);
}

internal enum ModelChoice
{
    /// <summary>The Messages API of the upstream.</summary>
    Claude,

    /// <summary>The scripted stand-in, in this process, behind the broker.</summary>
    Scripted,
}

internal enum ShutdownMode
{
    /// <summary>Sessions are paused and their sandboxes ended.</summary>
    Drain,

    /// <summary>Sandboxes live on, and the next server adopts them.</summary>
    Keep,
}
