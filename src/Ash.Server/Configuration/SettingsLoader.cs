using Ash.Runner.Sandboxes;
using Ash.Server.Storage.Postgres;
using Ash.Server.Telemetry;

namespace Ash.Server.Configuration;

/// <summary>Arguments over environment over defaults, all of it checked before anything starts.</summary>
internal static class SettingsLoader
{
    private static readonly Dictionary<string, string> Arguments = new()
    {
        ["--port"] = "ASH_PORT",
        ["--host"] = "ASH_HOST",
        ["--data-dir"] = "ASH_DATA_DIR",
    };

    public const string Usage = """
        Usage: ash-server [--port N] [--host ADDRESS] [--data-dir DIR]
               ash-server simulate [--help]
               ash-server --help | --version

          --port N        TCP port of the API (ASH_PORT, default 4100)
          --host ADDRESS  address to listen on (ASH_HOST, default 127.0.0.1; 0.0.0.0 for all)
          --data-dir DIR  everything that is kept (ASH_DATA_DIR, default ~/.ash)

        Every other setting is an environment variable: docs/reference/settings.md lists them.
        """;

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>Longer ones do not fit a timer.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>Longer ones reach behind the first date that there is.</summary>
    private static readonly TimeSpan LongestRetention = TimeSpan.FromDays(36_500);

    /// <summary>In characters: what is shorter is guessed.</summary>
    private const int ShortestSecret = 16;

    /// <summary>Of other programs that see the same environment.</summary>
    private static readonly string[] Foreign = ["ASH_SERVER_URL", "ASH_SERVER_ENTRY", "ASH_TEST_", "ASH_HOLD_", "ASH_DEMO_", "ASH_BENCH_"];

    /// <summary>Reads everything; the settings may be used where the report has no errors.</summary>
    public static ServerSettings Load(
        IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string?> environment, out SettingsReport report)
    {
        var values = new Dictionary<string, string?>(environment);
        var reader = new SettingsReader(values);
        ReadArguments(arguments, values, reader);

        var scripted = reader.Choice(
            "ASH_MODEL", fallback: !reader.Choice("ASH_REAL_SDK", true, ("1", true), ("0", false)), ("scripted", true), ("claude", false));
        var settings = new ServerSettings
        {
            Host = reader.Address("ASH_HOST", "127.0.0.1"),
            Port = reader.Number("ASH_PORT", 4100, min: 0, max: 65535),
            DataDirectory = DataDirectory(reader),
            Database = Database(reader),
            ApiKey = reader.Text("ASH_API_KEY"),
            InternalSecret = reader.Secret("ASH_INTERNAL_SECRET", ShortestSecret),
            CredentialKey = reader.Secret("ASH_CREDENTIAL_KEY", ShortestSecret),
            PreviousCredentialKeys = reader.Secrets("ASH_CREDENTIAL_KEY_PREVIOUS"),
            CorsOrigins = reader.Origins("ASH_CORS_ORIGINS"),
            RateLimitWindow = reader.Duration(
                "ASH_RATE_LIMIT_WINDOW", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)),
            RateLimit = reader.Number("ASH_RATE_LIMIT", 60_000, min: 0, max: int.MaxValue),
            CreateRateLimit = reader.Number("ASH_RATE_LIMIT_CREATES", 1200, min: 0, max: int.MaxValue),
            FailedKeyLimit = reader.Number("ASH_RATE_LIMIT_FAILED_KEYS", 60, min: 0, max: int.MaxValue),
            Model = scripted ? ModelChoice.Scripted : ModelChoice.Claude,
            ModelScript = reader.ExistingFile("ASH_MODEL_SCRIPT"),
            ModelBaseUrl = reader.HttpUrl("ASH_MODEL_BASE_URL"),
            ModelKey = reader.Text("ANTHROPIC_API_KEY"),
            Isolation = reader.Choice("ASH_ISOLATION", IsolationLevel.Full, ("full", IsolationLevel.Full), ("reduced", IsolationLevel.Reduced)),
            SandboxUidBase = reader.OptionalNumber("ASH_SANDBOX_UID_BASE", min: 10_000, max: 2_100_000_000),
            SandboxMemoryMb = reader.Number("ASH_SANDBOX_MEMORY_MB", 2048, min: 256, max: 1_048_576),
            WarmSandboxes = reader.Number("ASH_WARM_SANDBOXES", 1, min: 0, max: 1000),
            MaxSandboxes = reader.Number("ASH_MAX_SANDBOXES", 1000, min: 1, max: 100_000),
            MemoryReserveMb = reader.Number("ASH_MEMORY_RESERVE_MB", 512, min: 0, max: 1_048_576),
            CapacityWait = reader.Duration("ASH_CAPACITY_WAIT", TimeSpan.FromSeconds(30), TimeSpan.Zero, Longest),
            PermissionMode = reader.Choice(
                "ASH_PERMISSION_MODE",
                "bypassPermissions",
                ("bypassPermissions", "bypassPermissions"),
                ("permissionsByAgent", "permissionsByAgent"),
                ("default", "default")),
            BridgeProgram = reader.ExistingFile("ASH_BRIDGE_ENTRY"),
            CliProgram = reader.ExistingFile("CLAUDE_CODE_EXECUTABLE"),
            CliSha256 = reader.Sha256("ASH_CLI_SHA256"),
            PauseGrace = reader.Duration("ASH_PAUSE_GRACE", TimeSpan.FromSeconds(60), TimeSpan.Zero, Longest),
            IdleTimeout = IdleTimeout(reader),
            TurnTimeout = reader.Duration("ASH_TURN_TIMEOUT", TimeSpan.FromHours(1), Shortest, Longest),
            OrphanTimeout = reader.Duration("ASH_ORPHAN_TIMEOUT", TimeSpan.FromMinutes(10), Shortest, Longest),
            TurnOutputBytes = reader.Number("ASH_TURN_OUTPUT_MB", 1024, min: 1, max: 1024 * 1024) * 1024L * 1024L,
            EndedRetention = reader.Duration("ASH_ENDED_RETENTION", TimeSpan.FromDays(7), TimeSpan.Zero, LongestRetention),
            DeltaRetention = reader.Duration("ASH_DELTA_RETENTION", TimeSpan.FromDays(7), TimeSpan.Zero, LongestRetention),
            Shutdown = reader.Choice("ASH_SHUTDOWN", ShutdownMode.Drain, ("drain", ShutdownMode.Drain), ("keep", ShutdownMode.Keep)),
            MaxAttachmentBytes = reader.Number("ASH_MAX_ATTACHMENT_SIZE", 10_485_760, min: 1, max: 1_073_741_824),
            DeployRoots = reader.Folders("ASH_DEPLOY_ROOTS"),
            Otlp = OtlpSettings.Read(reader),
            DebugTiming = reader.Choice("ASH_DEBUG_TIMING", false, ("1", true), ("0", false)),
        };

        RefuseWhatIsNotOffered(reader);
        if (scripted && settings.ModelBaseUrl is not null)
        {
            reader.Refuse("ASH_MODEL_BASE_URL", "has no effect with ASH_MODEL=scripted; unset one of them");
        }

        report = new SettingsReport(reader.Errors, reader.Refused, FindUnknown(environment, reader.Known), reader.Known);
        return settings;
    }

    private static TimeSpan IdleTimeout(SettingsReader reader)
    {
        const int Smallest = 10;
        var milliseconds = reader.Number("ASH_IDLE_TIMEOUT_MS", 1_800_000, min: 0, max: int.MaxValue);
        if (milliseconds is > 0 and < Smallest)
        {
            reader.Refuse("ASH_IDLE_TIMEOUT_MS", $"\"{milliseconds}\" is too short; write {Smallest} or more, or 0 for never");
        }

        return TimeSpan.FromMilliseconds(milliseconds);
    }

    /// <summary>A mistyped name, or a setting of another release, would otherwise be missed.</summary>
    private static List<string> FindUnknown(IReadOnlyDictionary<string, string?> environment, IReadOnlySet<string> known) =>
    [
        .. environment.Keys
            .Where(name => name.StartsWith("ASH_", StringComparison.Ordinal) && !known.Contains(name)
                && !Array.Exists(Foreign, foreign => name.StartsWith(foreign, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal)
            .Select(name => $"{name} is not a setting of this release and has no effect; docs/reference/settings.md lists them"),
    ];

    private static void ReadArguments(IReadOnlyList<string> arguments, Dictionary<string, string?> values, SettingsReader reader)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            var (name, value) = arguments[i].Split('=', 2) is [var left, var right] ? (left, right) : (arguments[i], null);
            if (!Arguments.TryGetValue(name, out var setting))
            {
                reader.Refuse(arguments[i], "is not an argument of ash-server; --help lists them");
            }
            else if ((value ??= i + 1 < arguments.Count ? arguments[++i] : null) is not { Length: > 0 })
            {
                reader.Refuse(name, "needs a value");
            }
            else
            {
                values[setting] = value;
            }
        }
    }

    private static string DataDirectory(SettingsReader reader)
    {
        if (reader.Text("ASH_DATA_DIR") is { } chosen)
        {
            return Path.GetFullPath(chosen);
        }

        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        if (home.Length == 0)
        {
            reader.Refuse("ASH_DATA_DIR", "is not set, and there is no home folder to keep the default in");
        }

        return Path.Combine(home, ".ash");
    }

    private static PostgresAddress? Database(SettingsReader reader)
    {
        if (reader.Text("ASH_DATABASE_URL") is not { } url)
        {
            return null;
        }

        if (PostgresAddress.FindProblem(url, out var address) is { } problem)
        {
            reader.Refuse("ASH_DATABASE_URL", $"{problem}; write {PostgresAddress.Form}, or unset it for SQLite in the data folder");
        }

        return address;
    }

    /// <summary>A setting that this release does not honour is refused rather than silently accepted.</summary>
    private static void RefuseWhatIsNotOffered(SettingsReader reader)
    {
        if (reader.Text("ASH_MODE") is { } mode && mode != "standalone")
        {
            reader.Refuse("ASH_MODE", $"\"{mode}\" is not offered by this release; only standalone is");
        }

        if (reader.Text("ASH_SNAPSHOT_URL") is not null)
        {
            reader.Refuse("ASH_SNAPSHOT_URL", "is not offered by this release; workspaces stay in the data folder");
        }
    }
}
